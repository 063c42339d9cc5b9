import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, failureOf, mebibyte, readUntilError } from "../wire/bytes.ts";
import { holdFirstAnswer } from "../wire/hold-first-answer.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

const manyChunks = bytesOf(3 * smallPartBytes + 1, "faults");
const sessionGone = { kind: "error", status: 410, code: "gone" } as const;

describe("transfers through a bad network", { concurrency: 4, timeout: 600_000 }, () => {
  test("an upload goes on where the store is after a connection that was cut in the middle of a chunk", async () => {
    const location = await rig.open("cut-chunk", { config: smallParts });
    const match = { bucket: "cut-chunk", operation: "ContinueUpload" };
    const cut = rig.gcs.faults.add({ kind: "cut-request", afterBytes: mebibyte }, match, { skip: 1 });

    await location.put("contents", manyChunks);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(manyChunks));
    const ranges = rig.requestsOf("cut-chunk", "ContinueUpload").map(({ headers }) => headers.get("content-range"));
    assert.ok(ranges.includes("bytes */*"), `the store is asked: ${ranges.join(", ")}`);
    assert.equal(rig.requestsOf("cut-chunk", "InsertObject").length, 1);
  });

  test("a small object is stored after a connection that was cut in the middle of its request", async () => {
    const location = await rig.open("cut-put");
    const body = bytesOf(mebibyte, "cut-put");
    const match = { bucket: "cut-put", operation: "InsertObject" };
    const cut = rig.gcs.faults.add({ kind: "cut-request", afterBytes: 1000 }, match);

    await location.put("contents", body);

    assert.equal(cut.hits, 1);
    assert.ok((await location.get("contents")).equals(body));
  });

  test("a download resumes after a connection that was cut in the middle of the object", async () => {
    const location = await rig.open("cut-get", { config: smallParts });
    await location.put("contents", manyChunks);
    const cut = rig.gcs.faults.add(
      { kind: "cut-response", afterBytes: mebibyte },
      { bucket: "cut-get", operation: "ReadObject" },
      { times: 3 },
    );

    const received = await location.get("contents");

    assert.equal(cut.hits, 3);
    assert.ok(received.equals(manyChunks));
  });

  for (const isVersioned of [false, true]) {
    test(`a download of an object that was replaced meanwhile never mixes two generations, ${isVersioned ? "with" : "without"} versions`, async () => {
      const name = isVersioned ? "mix-versioned" : "mix-plain";
      const location = await rig.open(name, { config: smallParts });
      if (isVersioned) await rig.bucket(name).setMetadata({ versioning: { enabled: true } });
      // More than is fetched ahead.
      const former = bytesOf(5 * smallPartBytes, "one version");
      await location.put("contents", former);
      holdFirstAnswer({ ...rig, faults: rig.gcs.faults, bucket: name, operation: "ReadObject" });
      const reading = location.store.getObject(location.at("contents"));
      const first = await reading.next();

      await location.put("contents", Buffer.from("another version"));

      if (isVersioned) {
        const rest: Uint8Array[] = [first.value ?? Buffer.alloc(0)];
        for await (const chunk of reading) rest.push(chunk);
        assert.ok(Buffer.concat(rest).equals(former), "the former generation is read to its end");
      } else {
        assert.equal((await readUntilError(reading)).error.kind, "conflict");
      }
    });
  }

  test("an upload whose every answer is lost on the way is stored once and whole", async () => {
    const location = await rig.open("lost-answers", { config: smallParts });
    rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-answers", operation: "InsertObject" });
    const lost = { bucket: "lost-answers", operation: "ContinueUpload", where: isWithBytes };
    rig.gcs.faults.add({ kind: "lose-response" }, lost, { times: 5 });

    await location.put("contents", manyChunks);

    assert.ok((await location.get("contents")).equals(manyChunks));
    assert.deepEqual(await location.list(), ["contents"]);
  });

  test("an upload whose last answer is lost is found finished", async () => {
    const location = await rig.open("lost-end", { config: smallParts });
    const last = { bucket: "lost-end", operation: "ContinueUpload", where: isLast };
    const lost = rig.gcs.faults.add({ kind: "lose-response" }, last);

    await location.put("contents", manyChunks);

    assert.equal(lost.hits, 1);
    assert.equal(rig.requestsOf("lost-end").filter(isLast).length, 1);
    assert.ok((await location.get("contents")).equals(manyChunks));
  });

  test("an upload whose last answer is lost, and whose session is gone then, is told by its object", async () => {
    const location = await rig.open("lost-both", { config: smallParts });
    rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-both", operation: "ContinueUpload", where: isLast });
    const question = { bucket: "lost-both", operation: "ContinueUpload", where: isQuestion };
    const gone = rig.gcs.faults.add(sessionGone, question, { times: 99 });

    await location.put("contents", manyChunks);

    assert.equal(gone.hits, 1);
    assert.ok((await location.get("contents")).equals(manyChunks));
  });

  test("a small put whose answer is lost is stored", async () => {
    const location = await rig.open("lost-put");
    rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-put", operation: "InsertObject" });

    await location.put("contents", Buffer.from("small"));

    assert.equal((await location.get("contents")).toString(), "small");
  });

  test("a listing whose answer is cut is asked for again and complete", async () => {
    const location = await rig.open("cut-list");
    await location.put("a", Buffer.from("a"));
    const cut = rig.gcs.faults.add(
      { kind: "cut-response", afterBytes: 20 },
      { bucket: "cut-list", operation: "ListObjects" },
    );

    assert.deepEqual(await location.list(), ["a"]);
    assert.equal(cut.hits, 1);
  });
});

describe("sessions that end early", { concurrency: 4, timeout: 600_000 }, () => {
  test("one that is gone before its first bytes is begun again", async () => {
    const location = await rig.open("gone-first", { config: smallParts });
    const gone = rig.gcs.faults.add(sessionGone, { bucket: "gone-first", operation: "ContinueUpload" }, { times: 2 });

    await location.put("contents", manyChunks);

    assert.equal(gone.hits, 2);
    assert.equal(rig.requestsOf("gone-first", "InsertObject").length, 2);
    assert.ok((await location.get("contents")).equals(manyChunks));
  });

  test("one that is gone in the middle fails as a conflict at once and keeps the former object", async () => {
    const location = await rig.open("gone-later", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    const match = { bucket: "gone-later", operation: "ContinueUpload" };
    rig.gcs.faults.add(sessionGone, match, { skip: 1, times: 99 });

    const error = await failureOf(location.put("contents", manyChunks));

    assert.equal(error.kind, "conflict");
    assert.match(error.message, /gave the upload up.*nothing was stored/);
    assert.equal((await location.get("contents")).toString(), "former");
  });

  test("a chunk that is refused ends the upload, cancels its session and keeps the former object", async () => {
    const location = await rig.open("former", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    rig.gcs.faults.add(
      { kind: "error", status: 403, code: "forbidden" },
      { bucket: "former", operation: "ContinueUpload" },
      { times: 1000, skip: 1 },
    );

    const error = await failureOf(location.put("contents", manyChunks));

    assert.equal(error.kind, "denied");
    assert.equal((await location.get("contents")).toString(), "former");
    assert.equal(rig.requestsOf("former", "CancelUpload").length, 1);
    assert.deepEqual(rig.gcs.openUploads("former"), []);
  });

  test("the text of a failed put arrives even when the store refuses at once and the body is large", async () => {
    const location = await rig.open("early-refusal", { config: smallParts });
    rig.gcs.faults.add(
      { kind: "error", status: 403, code: "forbidden" },
      { bucket: "early-refusal", operation: "InsertObject" },
      { times: 1000 },
    );

    const error = await failureOf(location.put("contents", bytesOf(40 * mebibyte, "early")));

    assert.equal(error.kind, "denied");
    assert.match(
      error.message,
      /object "contents" in bucket "early-refusal".*forbidden.*grant storage\.objects\.create/,
    );
  });

  test("two writers of one key never store a mixture: one of them is kept, whole", async () => {
    const location = await rig.open("two-writers", { config: smallParts });
    const bodies = ["one", "two"].map((name) => bytesOf(2 * smallPartBytes + 5, name));

    await Promise.all(bodies.map((body) => location.put("contents", body)));

    const stored = await location.get("contents");
    assert.ok(bodies.some((body) => body.equals(stored)));
  });
});

type Seen = { readonly headers: ReadonlyMap<string, string> };

function isWithBytes({ headers }: Seen): boolean {
  return headers.get("content-length") !== "0";
}

function isQuestion({ headers }: Seen): boolean {
  return headers.get("content-range") === "bytes */*";
}

function isLast({ headers }: Seen): boolean {
  return headers.has("x-goog-hash");
}
