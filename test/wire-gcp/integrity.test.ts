import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { checksumOf, printChecksum } from "@flotilla/sdk/objects";

import { bytesOf, failureOf, readUntilError } from "../wire/bytes.ts";
import { holdFirstAnswer } from "../wire/hold-first-answer.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");

async function crcOf(bytes: Buffer): Promise<string> {
  return printChecksum(await checksumOf("crc32c", bytes));
}

describe("a store that lost bits", { concurrency: 4, timeout: 600_000 }, () => {
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
    ["second", smallPartBytes + 5],
    ["last", large.length - 5],
  ] as const) {
    test(`a flipped bit in the ${name} chunk of a large object is corrupt`, async () => {
      const location = await rig.open(`flip-large-${name}`, { config: smallParts });
      await location.put("contents", large);
      await location.flipBit("contents", position);

      const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
      assert.match(error.message, /its crc32c is recorded as/);
      assert.ok(receivedBytes < large.length);
    });
  }

  test("an object that was composed of others is verified as a whole", async () => {
    const location = await rig.open("composed");
    await location.put("one", small);
    await location.put("two", Buffer.from("two"));
    await rig.bucket("composed").combine(["one", "two"], "contents");
    assert.ok((await location.get("contents")).equals(Buffer.concat([small, Buffer.from("two")])));

    await location.flipBit("contents", 7);

    assert.equal((await readUntilError(location.store.getObject(location.at("contents")))).error.kind, "corrupt");
  });

  test("an object that the official plugin wrote, without sending a checksum, is verified by the store's own", async () => {
    const location = await rig.open("official");
    await rig.bucket("official").file("contents").save(small, { resumable: false, validation: false });
    assert.ok((await location.get("contents")).equals(small));

    await location.flipBit("contents", 7);

    assert.equal((await readUntilError(location.store.getObject(location.at("contents")))).error.kind, "corrupt");
  });

  test("an object that was stored compressed is read as it is stored", async () => {
    const location = await rig.open("transcoded");
    await rig.bucket("transcoded").file("contents").save(small, { gzip: true, resumable: false });

    const received = await location.get("contents");

    assert.deepEqual([...received.subarray(0, 2)], [0x1f, 0x8b]);
  });
});

describe("a way that changes bytes", { concurrency: 4, timeout: 600_000 }, () => {
  test("a download of other bytes than the store keeps is corrupt", async () => {
    const location = await rig.open("other-bytes");
    await location.put("contents", small);
    const match = { bucket: "other-bytes", operation: "ReadObject" };
    rig.gcs.faults.add({ kind: "corrupt-response", atByte: 77 }, match, { times: 99 });

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  test("a download of many ranges, one of them changed, is corrupt", async () => {
    const location = await rig.open("other-range", { config: smallParts });
    await location.put("contents", large);
    const match = { bucket: "other-range", operation: "ReadObject" };
    holdFirstAnswer({ ...rig, ...match, faults: rig.gcs.faults });
    const fault = rig.gcs.faults.add({ kind: "corrupt-response", atByte: 77 }, match, { skip: 2 });

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(fault.hits, 1);
    assert.equal(error.kind, "corrupt");
    assert.ok(receivedBytes < large.length);
  });

  test("a recorded checksum that is another one on the way is corrupt", async () => {
    const location = await rig.open("lie-get");
    await location.put("contents", small);
    rig.gcs.faults.add({ kind: "lie-checksum" }, { bucket: "lie-get", operation: "ReadObject" }, { times: 99 });

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  for (const [name, body, config] of [
    ["small", small, {}],
    ["large", large, smallParts],
  ] as const) {
    test(`a ${name} put whose kept checksum is another one is corrupt`, async () => {
      const bucket = `lie-put-${name}`;
      const location = await rig.open(bucket, { config });
      const match = { bucket, operation: ["InsertObject", "ContinueUpload"] };
      rig.gcs.faults.add({ kind: "lie-checksum" }, match, { times: 99 });

      const error = await failureOf(location.put("contents", body));

      assert.equal(error.kind, "corrupt");
      assert.match(error.message, /the store kept a crc32c of/);
    });
  }

  test("an object that the store finds changed is refused as corrupt, and nothing is stored", async () => {
    const location = await rig.open("crc-mismatch");
    const sent = await crcOf(small);
    const message = `Provided CRC32C "${sent}" doesn't match calculated CRC32C "AAAAAA==".`;
    const fault = { kind: "error", status: 400, code: "invalid", message } as const;
    rig.gcs.faults.add(fault, { bucket: "crc-mismatch", operation: "InsertObject" }, { times: 99 });

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "corrupt");
    assert.match(error.message, /received other bytes than were sent/);
    assert.equal(await location.exists("contents"), false);
  });
});

describe("what is sent for the store to compare and to keep", { concurrency: 4, timeout: 240_000 }, () => {
  test("a small object takes one request, with the checksum in its metadata", async () => {
    const location = await rig.open("crc-sent");

    await location.put("contents", small);

    assert.equal(rig.requestsOf("crc-sent").length, 1);
    const { checksum } = await location.describe("contents");
    assert.deepEqual(checksum, { algorithm: "crc32c", value: await crcOf(small), scope: "full-object" });
  });

  test("of a large object only the last request carries the checksum, that of the whole, and its size", async () => {
    const location = await rig.open("crc-last", { config: smallParts });

    await location.put("contents", large);

    const chunks = rig.requestsOf("crc-last", "ContinueUpload");
    const hashes = chunks.map(({ headers }) => headers.get("x-goog-hash"));
    assert.deepEqual(hashes.slice(0, -1).filter(Boolean), []);
    assert.equal(hashes.at(-1), `crc32c=${await crcOf(large)}`);
    assert.match(chunks.at(-1)?.headers.get("content-range") ?? "", new RegExp(`/${large.length}$`));
    for (const { headers } of chunks.slice(0, -1)) assert.match(headers.get("content-range") ?? "", /\/\*$/);
  });

  test("no request is sent in chunked framing or names an encoding of the content", async () => {
    const location = await rig.open("plain-bodies", { config: smallParts });
    await location.put("contents", large);
    await location.put("small", small);
    await location.get("contents");

    for (const { headers } of rig.requestsOf("plain-bodies")) {
      assert.equal(headers.has("transfer-encoding"), false);
      assert.equal(headers.has("content-encoding"), false);
    }
    const [metadata] = await rig.bucket("plain-bodies").file("contents").getMetadata();
    assert.equal(metadata.contentEncoding, undefined);
  });
});
