import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, failureOf, mebibyte, readUntilError } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");

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

  test("a flipped bit in any part of a large object is corrupt, and its last chunk is held back", async () => {
    const location = await rig.open("flip-part", { config: smallParts });
    await location.put("contents", large);
    await location.flipBit("contents", smallPartBytes + 7);

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
    assert.match(error.message, /"contents" in bucket "flip-part"/);
    assert.ok(receivedBytes < large.length);
  });

  test("after a corrupt object the next one is read as ever", async () => {
    const location = await rig.open("flip-then-good");
    await location.put("bad", small);
    await location.put("good", small);
    await location.flipBit("bad", 1);

    await readUntilError(location.store.getObject(location.at("bad")));

    assert.ok((await location.get("good")).equals(small));
  });

  test("a byte changed on the way is never delivered as good", async () => {
    const location = await rig.open("changed-on-the-way", { config: smallParts });
    await location.put("contents", large);
    rig.s3.faults.add(
      { kind: "corrupt-response", atByte: 1000 },
      { bucket: "changed-on-the-way", operation: "GetObject" },
    );

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
    assert.ok(receivedBytes < large.length);
  });
});

describe("a store that lies about a checksum", { concurrency: true }, () => {
  test("the put of a small object fails as corrupt when the store answers another checksum", async () => {
    const location = await rig.open("lie-put");
    const lie = rig.s3.faults.add(
      { kind: "lie-checksum" },
      { bucket: "lie-put", operation: "PutObject" },
      { times: 99 },
    );

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "corrupt");
    assert.ok(lie.hits > 0);
  });

  test("an upload fails as corrupt when the store answers another checksum for the whole", async () => {
    const location = await rig.open("lie-complete", { config: smallParts });
    const match = { bucket: "lie-complete", operation: "CompleteMultipartUpload" };
    const lie = rig.s3.faults.add({ kind: "lie-checksum" }, match, { times: 99 });

    const error = await failureOf(location.put("contents", large));

    assert.equal(error.kind, "corrupt");
    assert.ok(lie.hits > 0);
  });

  test("a get fails as corrupt when the store answers the checksum of other bytes", async () => {
    const location = await rig.open("lie-get");
    await location.put("contents", small);
    rig.s3.faults.add(
      { kind: "lie-checksum" },
      { bucket: "lie-get", operation: ["GetObject", "HeadObject"] },
      { times: 99 },
    );

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
    assert.ok(receivedBytes < small.length);
  });

  test("a large get fails as corrupt when the store answers the checksum of other bytes", async () => {
    const location = await rig.open("lie-large-get", { config: smallParts });
    await location.put("contents", large);
    const match = { bucket: "lie-large-get", operation: ["GetObject", "HeadObject"] };
    rig.s3.faults.add({ kind: "lie-checksum" }, match, { times: 99 });

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  test("the checksum that the store shall verify travels as a header of the request", async () => {
    const location = await rig.open("checksum-sent");

    await location.put("contents", bytesOf(mebibyte, "sent"));

    const [put] = rig.s3.log.entries("PutObject").filter((request) => request.bucket === "checksum-sent");
    assert.match(put?.headers.get("x-amz-checksum-crc32") ?? "", /^[\w+/]{6}==$/);
  });
});
