import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { bytesOf, inChunks, mebibyte } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

const rig = await startBlobRig();
after(() => rig.close());

const partBytes = 8 * mebibyte;

/** How many requests of each kind stored the objects of a container. */
function storingRequests(bucket: string): { readonly puts: number; readonly blocks: number } {
  return { puts: rig.requestsOf(bucket, "PutBlob").length, blocks: rig.requestsOf(bucket, "PutBlock").length };
}

describe("sizes", { concurrency: 2 }, () => {
  test("an empty object replaces a full one and is read back", async () => {
    const location = await rig.open("emptied");
    await location.put("contents", Buffer.from("full"));

    await location.put("contents", Buffer.alloc(0));

    assert.equal((await location.get("contents")).length, 0);
    assert.equal((await location.describe("contents")).sizeBytes, 0n);
  });

  test("an empty object that another program wrote is read as empty", async () => {
    const location = await rig.open("empty");
    await rig.container("empty").getBlockBlobClient("contents").upload("", 0);

    assert.equal((await location.get("contents")).length, 0);
    assert.equal((await location.describe("contents")).sizeBytes, 0n);
  });

  for (const [name, sizeBytes, requests] of [
    ["one byte", 1, { puts: 1, blocks: 0 }],
    ["one block less one byte", partBytes - 1, { puts: 1, blocks: 0 }],
    ["exactly one block", partBytes, { puts: 1, blocks: 0 }],
    ["one block and one byte", partBytes + 1, { puts: 0, blocks: 2 }],
    ["exactly three blocks", 3 * partBytes, { puts: 0, blocks: 3 }],
  ] as const) {
    test(`an object of ${name} is written and read back, and its MD5 is kept`, async () => {
      const bucket = `size-${sizeBytes}`;
      const location = await rig.open(bucket);
      const body = bytesOf(sizeBytes, name);

      await location.put("contents", body);

      assert.ok((await location.get("contents")).equals(body));
      assert.deepEqual(storingRequests(bucket), requests);
      const { sizeBytes: described, checksum } = await location.describe("contents");
      assert.equal(described, BigInt(sizeBytes));
      assert.equal(checksum?.value, createHash("md5").update(body).digest("base64"));
    });
  }

  test("an object of many small blocks is written and read back", async () => {
    const location = await rig.open("many-blocks", { config: smallParts });
    const body = bytesOf(20 * smallPartBytes + 4321, "many blocks");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
    assert.deepEqual(storingRequests("many-blocks"), { puts: 0, blocks: 21 });
    assert.equal(rig.requestsOf("many-blocks", "PutBlockList").length, 1);
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

  test("sixteen objects are written and read at once within the memory of two large blocks", async () => {
    const location = await rig.open("at-once", { config: smallParts });
    const bodies = Array.from({ length: 16 }, (_, index) => bytesOf(mebibyte + index, `at once ${index}`));

    await Promise.all(bodies.map((body, index) => location.put(`contents-${index}`, body)));
    const received = await Promise.all(bodies.map((_, index) => location.get(`contents-${index}`)));

    assert.ok(received.every((bytes, index) => bodies[index]?.equals(bytes) === true));
  });

  test("blockSizeInBytes is the size of the first blocks", async () => {
    const location = await rig.open("block-size", { config: { blockSizeInBytes: "1048576" } });

    await location.put("contents", bytesOf(3 * mebibyte + 1, "block size"));

    const sizes = rig.requestsOf("block-size", "PutBlock").map(({ headers }) => headers.get("content-length"));
    assert.deepEqual(
      sizes.map(Number).toSorted((a, b) => a - b),
      [1, 1_048_576, 1_048_576, 1_048_576],
    );
  });

  for (const value of ["nonsense", "0", "-5", "999999999999"]) {
    test(`blockSizeInBytes ${value} is passed over or cut, never refused`, async () => {
      const location = await rig.open(`block-size-${value.replace("-", "minus")}`, {
        config: { blockSizeInBytes: value },
      });

      await location.put("contents", Buffer.from("x"));

      assert.equal((await location.get("contents")).toString(), "x");
    });
  }
});
