import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { PutObjectCommand } from "@aws-sdk/client-s3";

import { bytesOf, inChunks, mebibyte } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const partBytes = 8 * mebibyte;

/** How many requests of each kind stored the objects of a bucket. */
function storingRequests(bucket: string): { readonly puts: number; readonly parts: number } {
  const entries = rig.s3.log.entries().filter((request) => request.bucket === bucket);
  const count = (operation: string): number => entries.filter((request) => request.operation === operation).length;
  return { puts: count("PutObject"), parts: count("UploadPart") };
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
    await rig.probe.send(new PutObjectCommand({ Bucket: "empty", Key: "contents", Body: "" }));

    assert.equal((await location.get("contents")).length, 0);
    assert.equal((await location.describe("contents")).sizeBytes, 0n);
  });

  for (const [name, sizeBytes, requests] of [
    ["one byte", 1, { puts: 1, parts: 0 }],
    ["one part less one byte", partBytes - 1, { puts: 1, parts: 0 }],
    ["exactly one part", partBytes, { puts: 1, parts: 0 }],
    ["one part and one byte", partBytes + 1, { puts: 0, parts: 2 }],
    ["exactly three parts", 3 * partBytes, { puts: 0, parts: 3 }],
  ] as const) {
    test(`an object of ${name} is written and read back`, async () => {
      const bucket = `size-${sizeBytes}`;
      const location = await rig.open(bucket);
      const body = bytesOf(sizeBytes, name);

      await location.put("contents", body);

      assert.ok((await location.get("contents")).equals(body));
      assert.deepEqual(storingRequests(bucket), requests);
      assert.equal((await location.describe("contents")).sizeBytes, BigInt(sizeBytes));
    });
  }

  test("an object of many small parts is written and read back", async () => {
    const location = await rig.open("many-parts", { config: smallParts });
    const body = bytesOf(9 * smallPartBytes + 4321, "many parts");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
    assert.deepEqual(storingRequests("many-parts"), { puts: 0, parts: 10 });
    assert.equal(await rig.countUploads("many-parts"), 0);
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

  test("sixteen objects are written and read at once within the memory of two parts", async () => {
    const location = await rig.open("at-once", { config: smallParts });
    const bodies = Array.from({ length: 16 }, (_, index) => bytesOf(mebibyte + index, `at once ${index}`));

    await Promise.all(bodies.map((body, index) => location.put(`contents-${index}`, body)));
    const received = await Promise.all(bodies.map((_, index) => location.get(`contents-${index}`)));

    assert.ok(received.every((bytes, index) => bodies[index]?.equals(bytes) === true));
  });
});
