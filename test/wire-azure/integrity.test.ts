import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { bytesOf, failureOf, mebibyte, readUntilError } from "../wire/bytes.ts";
import { holdFirstAnswer } from "../wire/hold-first-answer.ts";
import { toldLines } from "../wire/told-lines.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

const rig = await startBlobRig();
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(5 * smallPartBytes + 12_345, "large");

function md5Of(bytes: Buffer): Buffer {
  return createHash("md5").update(bytes).digest();
}

describe("a store that lost bits", { concurrency: true }, () => {
  for (const [name, position] of [
    ["first", 0],
    ["middle", 50_000],
    ["last", small.length - 1],
  ] as const) {
    test(`a flipped bit in the ${name} byte of a small object is corrupt, and the object never arrives whole`, async () => {
      const location = await rig.open(`flip-${name}`);
      await location.put("contents", small);
      await location.flipBit("contents", position);

      const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
      assert.ok(receivedBytes < small.length);
    });
  }

  for (const [name, position] of [
    ["first", 5],
    ["third", 2 * smallPartBytes + 5],
    ["last", large.length - 5],
  ] as const) {
    test(`a flipped bit in the ${name} block of a large object is corrupt`, async () => {
      const location = await rig.open(`flip-large-${name}`, { config: smallParts });
      await location.put("contents", large);
      await location.flipBit("contents", position);

      const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
      assert.ok(receivedBytes < large.length);
    });
  }

  test("an object whose recorded MD5 is another's is corrupt", async () => {
    const location = await rig.open("wrong-md5");
    await location.put("contents", small);
    const blobContentMD5 = md5Of(Buffer.from("another"));
    await rig.container("wrong-md5").getBlobClient("contents").setHTTPHeaders({ blobContentMD5 });

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
    assert.match(error.message, /md5/);
    assert.ok(receivedBytes < small.length);
  });

  test("an object without a recorded MD5, as the official plugin leaves it, is served and said to be unverified", async () => {
    const location = await rig.open("no-md5");
    const blob = rig.container("no-md5").getBlockBlobClient("contents");
    await blob.stageBlock("00000000", small, small.length);
    await blob.commitBlockList(["00000000"]);

    const received = await location.get("contents");

    assert.ok(received.equals(small));
    assert.equal((await location.describe("contents")).checksum, undefined);
    assert.ok((await toldLines(rig.session, /unverified/)).length > 0);
  });
});

describe("a way that changes bytes", { concurrency: true }, () => {
  test("a download of other bytes than the store keeps is corrupt", async () => {
    const location = await rig.open("other-bytes");
    await location.put("contents", small);
    const match = { bucket: "other-bytes", operation: "GetBlob" };
    rig.blob.faults.add({ kind: "corrupt-response", atByte: 77 }, match, { times: 99 });

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  test("a download of many ranges, one of them changed, is corrupt", async () => {
    const location = await rig.open("other-range", { config: smallParts });
    await location.put("contents", large);
    const match = { bucket: "other-range", operation: "GetBlob" };
    holdFirstAnswer({ ...rig, ...match, faults: rig.blob.faults });
    const fault = rig.blob.faults.add({ kind: "corrupt-response", atByte: 77 }, match, { skip: 2 });

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(fault.hits, 1);
    assert.equal(error.kind, "corrupt");
    assert.ok(receivedBytes < large.length);
  });

  test("a recorded checksum that is another one on the way is corrupt", async () => {
    const location = await rig.open("lie-get");
    await location.put("contents", small);
    rig.blob.faults.add({ kind: "lie-checksum" }, { bucket: "lie-get", operation: "GetBlob" }, { times: 99 });

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  test("a block that the store finds changed is sent again or refused, never committed", async () => {
    const location = await rig.open("md5-mismatch", { config: smallParts });
    rig.blob.faults.add(
      { kind: "error", status: 400, code: "Md5Mismatch" },
      { bucket: "md5-mismatch", operation: "PutBlock" },
      { times: 99 },
    );

    const error = await failureOf(location.put("contents", large));

    assert.equal(error.kind, "corrupt");
    assert.equal(await location.exists("contents"), false);
  });
});

describe("what is sent for the store to compare and to keep", { concurrency: true }, () => {
  test("a small object carries its MD5 twice: to be compared, and to be kept", async () => {
    const location = await rig.open("md5-sent");
    const body = bytesOf(mebibyte, "sent");

    await location.put("contents", body);

    const [put] = rig.requestsOf("md5-sent", "PutBlob");
    const md5 = md5Of(body).toString("base64");
    assert.equal(put?.headers.get("content-md5"), md5);
    assert.equal(put?.headers.get("x-ms-blob-content-md5"), md5);
  });

  test("each block carries its own MD5, and the commit that of the whole", async () => {
    const location = await rig.open("md5-blocks", { config: smallParts });

    await location.put("contents", large);

    const blocks = rig.requestsOf("md5-blocks", "PutBlock").map(({ headers }) => headers.get("content-md5"));
    const parts = Array.from({ length: 6 }, (_, index) =>
      md5Of(large.subarray(index * smallPartBytes, (index + 1) * smallPartBytes)).toString("base64"),
    );
    assert.deepEqual(new Set(blocks), new Set(parts));
    const [commit] = rig.requestsOf("md5-blocks", "PutBlockList");
    assert.equal(commit?.headers.get("x-ms-blob-content-md5"), md5Of(large).toString("base64"));
  });

  test("no request asks for the SDK's own message framing or for an encoding", async () => {
    const location = await rig.open("plain-bodies", { config: smallParts });
    await location.put("contents", large);
    await location.get("contents");

    for (const { headers } of rig.requestsOf("plain-bodies")) {
      assert.equal(headers.has("x-ms-structured-body"), false);
      assert.equal(headers.has("x-ms-blob-content-encoding"), false);
      assert.equal(headers.has("transfer-encoding"), false);
    }
  });
});
