import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, failureOf, mebibyte, readUntilError } from "./bytes.ts";
import { holdFirstAnswer } from "./hold-first-answer.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const manyParts = bytesOf(4 * smallPartBytes + 1, "faults");

describe("transfers through a bad network", { concurrency: true }, () => {
  test("an upload goes on after a connection that was cut in the middle of a part", async () => {
    const location = await rig.open("cut-part", { config: smallParts });
    const cut = rig.s3.faults.add(
      { kind: "cut-request", afterBytes: mebibyte },
      { bucket: "cut-part", operation: "UploadPart", partNumber: 2 },
    );

    await location.put("contents", manyParts);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(manyParts));
  });

  test("a small object is stored after a connection that was cut in the middle of its request", async () => {
    const location = await rig.open("cut-put");
    const body = bytesOf(mebibyte, "cut-put");
    const cut = rig.s3.faults.add({ kind: "cut-request", afterBytes: 1000 }, { bucket: "cut-put" });

    await location.put("contents", body);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(body));
  });

  test("a download resumes after a connection that was cut in the middle of the object", async () => {
    const location = await rig.open("cut-get", { config: smallParts });
    await location.put("contents", manyParts);
    const cut = rig.s3.faults.add(
      { kind: "cut-response", afterBytes: mebibyte },
      { bucket: "cut-get", operation: "GetObject" },
      { times: 3 },
    );

    const received = await location.get("contents");

    assert.equal(cut.hits, 3);
    assert.ok(received.equals(manyParts));
  });

  test("a download of an object that was replaced meanwhile never mixes the two versions", async () => {
    const location = await rig.open("cut-mix", { config: smallParts });
    await location.put("contents", manyParts);
    holdFirstAnswer({ ...rig, faults: rig.s3.faults, bucket: "cut-mix", operation: "GetObject" });
    const reading = location.store.getObject(location.at("contents"));
    await reading.next();

    await location.put("contents", bytesOf(manyParts.length, "another version"));
    const { error } = await readUntilError(reading);

    assert.equal(error.kind, "conflict");
  });

  test("an upload whose every answer is lost on the way is stored once and whole", async () => {
    const location = await rig.open("lost-answers", { config: smallParts });
    for (const operation of ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]) {
      rig.s3.faults.add({ kind: "lose-response" }, { bucket: "lost-answers", operation });
    }

    await location.put("contents", manyParts);

    assert.ok((await location.get("contents")).equals(manyParts));
  });

  test("a small put whose answer is lost is stored", async () => {
    const location = await rig.open("lost-put");
    rig.s3.faults.add({ kind: "lose-response" }, { bucket: "lost-put", operation: "PutObject" });

    await location.put("contents", Buffer.from("small"));

    assert.equal((await location.get("contents")).toString(), "small");
  });

  test("a listing whose answer is cut is asked for again and complete", async () => {
    const location = await rig.open("cut-list");
    await location.put("a", Buffer.from("a"));
    const cut = rig.s3.faults.add({ kind: "cut-response", afterBytes: 20 }, { bucket: "cut-list", method: "GET" });

    assert.deepEqual(await location.list(), ["a"]);
    assert.equal(cut.hits, 1);
  });
});

describe("a store in trouble", { concurrency: true }, () => {
  test("a completion that fails inside an answer of status 200 is never taken for success", async () => {
    const location = await rig.open("error-in-200", { config: smallParts });
    const fault = rig.s3.faults.add(
      { kind: "error-in-200", code: "InternalError" },
      { bucket: "error-in-200", operation: "CompleteMultipartUpload" },
    );

    await location.put("contents", manyParts);

    assert.equal(fault.hits, 1);
    assert.ok((await location.get("contents")).equals(manyParts));
  });

  test("a failed upload keeps the former object", async () => {
    const location = await rig.open("former", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    rig.s3.faults.add(
      { kind: "error", status: 403, code: "AccessDenied" },
      { bucket: "former", operation: "UploadPart", partNumber: 3 },
      { times: 1000 },
    );

    const error = await failureOf(location.put("contents", manyParts));

    assert.equal(error.kind, "denied");
    assert.equal((await location.get("contents")).toString(), "former");
    assert.equal(await rig.countUploads("former"), 0);
  });

  test("the text of a failed put arrives even when the store refuses at once and the body is large", async () => {
    const location = await rig.open("early-refusal", { config: smallParts });
    rig.s3.faults.add(
      { kind: "error", status: 403, code: "AccessDenied" },
      { bucket: "early-refusal", operation: ["CreateMultipartUpload", "PutObject"] },
      { times: 1000 },
    );

    const error = await failureOf(location.put("contents", bytesOf(40 * mebibyte, "early")));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /object "contents" in bucket "early-refusal".*AccessDenied/);
  });
});
