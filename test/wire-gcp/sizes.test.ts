import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { checksumOf, printChecksum } from "@flotilla/sdk/objects";

import { bytesOf, inChunks, mebibyte } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

const quantum = 256 * 1024;

/** How many requests stored the objects of a bucket. */
function storingRequests(bucket: string): { readonly inserts: number; readonly chunks: number } {
  return {
    inserts: rig.requestsOf(bucket, "InsertObject").length,
    chunks: rig.requestsOf(bucket, "ContinueUpload").length,
  };
}

describe("sizes", { concurrency: 2, timeout: 600_000 }, () => {
  test("an empty object replaces a full one and is read back", async () => {
    const location = await rig.open("emptied");
    await location.put("contents", Buffer.from("full"));

    await location.put("contents", Buffer.alloc(0));

    assert.equal((await location.get("contents")).length, 0);
    assert.equal((await location.describe("contents")).sizeBytes, 0n);
  });

  for (const [name, sizeBytes, requests] of [
    ["one byte", 1, { inserts: 1, chunks: 0 }],
    ["one chunk less one byte", smallPartBytes - 1, { inserts: 1, chunks: 0 }],
    ["exactly one chunk", smallPartBytes, { inserts: 1, chunks: 0 }],
    ["one chunk and one byte", smallPartBytes + 1, { inserts: 1, chunks: 2 }],
    ["one chunk and a quarter MiB", smallPartBytes + quantum, { inserts: 1, chunks: 3 }],
    ["one chunk and a quarter MiB and one byte", smallPartBytes + quantum + 1, { inserts: 1, chunks: 3 }],
    ["exactly three chunks", 3 * smallPartBytes, { inserts: 1, chunks: 4 }],
    ["three chunks less one byte", 3 * smallPartBytes - 1, { inserts: 1, chunks: 4 }],
  ] as const) {
    test(`an object of ${name} is written and read back, and its CRC32C is kept`, async () => {
      const bucket = `size-${sizeBytes}`;
      const location = await rig.open(bucket, { config: smallParts });
      const body = bytesOf(sizeBytes, name);

      await location.put("contents", body);

      assert.ok((await location.get("contents")).equals(body));
      assert.deepEqual(storingRequests(bucket), requests);
      const { sizeBytes: described, checksum } = await location.describe("contents");
      assert.equal(described, BigInt(sizeBytes));
      assert.equal(checksum?.value, printChecksum(await checksumOf("crc32c", body)));
    });
  }

  test("an object of the usual part size takes one request, and one byte more a session", async () => {
    const location = await rig.open("usual");

    await location.put("one", bytesOf(16 * mebibyte, "one"));
    assert.deepEqual(storingRequests("usual"), { inserts: 1, chunks: 0 });
    await location.put("two", bytesOf(16 * mebibyte + 1, "two"));

    assert.deepEqual(storingRequests("usual"), { inserts: 2, chunks: 2 });
    assert.equal((await location.get("two")).length, 16 * mebibyte + 1);
  });

  test("an object of many chunks is written and read back", async () => {
    const location = await rig.open("many-chunks", { config: smallParts });
    const body = bytesOf(9 * smallPartBytes + 4321, "many chunks");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
    assert.deepEqual(storingRequests("many-chunks"), { inserts: 1, chunks: 10 });
  });

  test("messages of odd lengths are joined in their order", async () => {
    const location = await rig.open("odd-messages", { config: smallParts });
    const body = bytesOf(smallPartBytes + 100_003, "odd");

    await location.store.putObject(location.at("contents"), inChunks(body, 777));

    assert.ok((await location.get("contents")).equals(body));
  });

  test("a put replaces a larger object by a smaller one", async () => {
    const location = await rig.open("overwrite", { config: smallParts });
    await location.put("contents", bytesOf(2 * smallPartBytes, "former"));

    await location.put("contents", Buffer.from("latter"));

    assert.equal((await location.get("contents")).toString(), "latter");
  });

  test("sixteen objects are written and read at once within the memory of two large chunks", async () => {
    const location = await rig.open("at-once", { config: smallParts });
    const bodies = Array.from({ length: 16 }, (_, index) => bytesOf(mebibyte + index, `at once ${index}`));

    await Promise.all(bodies.map((body, index) => location.put(`contents-${index}`, body)));
    const received = await Promise.all(bodies.map((_, index) => location.get(`contents-${index}`)));

    assert.ok(received.every((bytes, index) => bodies[index]?.equals(bytes) === true));
  });
});
