import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, failureOf, mebibyte, readUntilError } from "../wire/bytes.ts";
import { holdFirstAnswer } from "../wire/hold-first-answer.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

const rig = await startBlobRig();
after(() => rig.close());

const manyBlocks = bytesOf(5 * smallPartBytes + 1, "faults");

describe("transfers through a bad network", { concurrency: true }, () => {
  test("an upload goes on after a connection that was cut in the middle of a block", async () => {
    const location = await rig.open("cut-block", { config: smallParts });
    const match = { bucket: "cut-block", operation: "PutBlock" };
    const cut = rig.blob.faults.add({ kind: "cut-request", afterBytes: mebibyte }, match, { skip: 1 });

    await location.put("contents", manyBlocks);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(manyBlocks));
  });

  test("a small object is stored after a connection that was cut in the middle of its request", async () => {
    const location = await rig.open("cut-put");
    const body = bytesOf(mebibyte, "cut-put");
    const cut = rig.blob.faults.add({ kind: "cut-request", afterBytes: 1000 }, { bucket: "cut-put" });

    await location.put("contents", body);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(body));
  });

  test("a download resumes after a connection that was cut in the middle of the object", async () => {
    const location = await rig.open("cut-get", { config: smallParts });
    await location.put("contents", manyBlocks);
    const cut = rig.blob.faults.add(
      { kind: "cut-response", afterBytes: mebibyte },
      { bucket: "cut-get", operation: "GetBlob" },
      { times: 3 },
    );

    const received = await location.get("contents");

    assert.equal(cut.hits, 3);
    assert.ok(received.equals(manyBlocks));
  });

  test("a download of an object that was replaced meanwhile never mixes the two versions", async () => {
    const location = await rig.open("cut-mix", { config: smallParts });
    // More than is fetched ahead.
    await location.put("contents", bytesOf(20 * smallPartBytes, "one version"));
    holdFirstAnswer({ ...rig, faults: rig.blob.faults, bucket: "cut-mix", operation: "GetBlob" });
    const reading = location.store.getObject(location.at("contents"));
    await reading.next();

    await location.put("contents", Buffer.from("another version"));
    const { error } = await readUntilError(reading);

    assert.equal(error.kind, "conflict");
  });

  test("an upload whose every answer is lost on the way is stored once and whole", async () => {
    const location = await rig.open("lost-answers", { config: smallParts });
    for (const operation of ["PutBlock", "PutBlockList"])
      rig.blob.faults.add({ kind: "lose-response" }, { bucket: "lost-answers", operation });

    await location.put("contents", manyBlocks);

    assert.ok((await location.get("contents")).equals(manyBlocks));
  });

  test("a small put whose answer is lost is stored", async () => {
    const location = await rig.open("lost-put");
    rig.blob.faults.add({ kind: "lose-response" }, { bucket: "lost-put", operation: "PutBlob" });

    await location.put("contents", Buffer.from("small"));

    assert.equal((await location.get("contents")).toString(), "small");
  });

  test("a listing whose answer is cut is asked for again and complete", async () => {
    const location = await rig.open("cut-list");
    await location.put("a", Buffer.from("a"));
    const cut = rig.blob.faults.add(
      { kind: "cut-response", afterBytes: 20 },
      { bucket: "cut-list", operation: "ListBlobs" },
    );

    assert.deepEqual(await location.list(), ["a"]);
    assert.equal(cut.hits, 1);
  });
});

describe("a store in trouble", { concurrency: true }, () => {
  test("a failed upload keeps the former object", async () => {
    const location = await rig.open("former", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    rig.blob.faults.add(
      { kind: "error", status: 403, code: "AuthorizationPermissionMismatch" },
      { bucket: "former", operation: "PutBlock" },
      { times: 1000, skip: 2 },
    );

    const error = await failureOf(location.put("contents", manyBlocks));

    assert.equal(error.kind, "denied");
    assert.equal((await location.get("contents")).toString(), "former");
  });

  test("a commit that is refused keeps the former object", async () => {
    const location = await rig.open("former-commit", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    rig.blob.faults.add(
      { kind: "error", status: 400, code: "InvalidBlockList" },
      { bucket: "former-commit", operation: "PutBlockList" },
      { times: 1000 },
    );

    const error = await failureOf(location.put("contents", manyBlocks));

    assert.equal(error.kind, "conflict");
    assert.equal((await location.get("contents")).toString(), "former");
  });

  test("the text of a failed put arrives even when the store refuses at once and the body is large", async () => {
    const location = await rig.open("early-refusal", { config: smallParts });
    rig.blob.faults.add(
      { kind: "error", status: 403, code: "AuthorizationFailure" },
      { bucket: "early-refusal", operation: ["PutBlock", "PutBlob"] },
      { times: 1000 },
    );

    const error = await failureOf(location.put("contents", bytesOf(40 * mebibyte, "early")));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /object "contents" in bucket "early-refusal".*AuthorizationFailure/);
  });

  test("two writers of one key never store a mixture of their blocks", async () => {
    const location = await rig.open("two-writers", { config: smallParts });
    const bodies = ["one", "two"].map((name) => bytesOf(4 * smallPartBytes, name));

    const outcomes = await Promise.allSettled(bodies.map((body) => location.put("contents", body)));

    assert.ok(outcomes.some(({ status }) => status === "fulfilled"));
    const stored = await location.get("contents");
    assert.ok(bodies.some((body) => body.equals(stored)));
  });

  test("blocks that the official plugin left when it was killed do not stand in the way", async () => {
    const location = await rig.open("their-leftovers", { config: smallParts });
    const blob = rig.container("their-leftovers").getBlockBlobClient("contents");
    await blob.stageBlock("00000000", "theirs", 6);

    await location.put("contents", manyBlocks);

    assert.ok((await location.get("contents")).equals(manyBlocks));
  });

  test("an object of the official plugin's blocks is replaced, and its plugin replaces one of ours", async () => {
    const location = await rig.open("their-object", { config: smallParts });
    const blob = rig.container("their-object").getBlockBlobClient("contents");
    const replaceAsTheyDo = async (): Promise<void> => {
      await blob.stageBlock("00000000", "theirs", 6);
      await blob.commitBlockList(["00000000"]);
    };
    await replaceAsTheyDo();

    await location.put("contents", manyBlocks);

    assert.ok((await location.get("contents")).equals(manyBlocks));
    await replaceAsTheyDo();
    assert.equal((await location.get("contents")).toString(), "theirs");
  });

  test("blocks that this plugin left do not stand in the official plugin's way", async () => {
    const location = await rig.open("our-leftovers", { config: smallParts });
    const refusal = { kind: "error", status: 403, code: "AuthorizationFailure" } as const;
    rig.blob.faults.add(refusal, { bucket: "our-leftovers", operation: "PutBlockList" }, { times: 1000 });
    await failureOf(location.put("contents", manyBlocks));
    const blob = rig.container("our-leftovers").getBlockBlobClient("contents");

    await blob.stageBlock("00000000", "theirs", 6);

    const { uncommittedBlocks = [] } = await blob.getBlockList("uncommitted");
    assert.equal(uncommittedBlocks.length, 7);
    assert.deepEqual(await location.list(), []);
  });
});
