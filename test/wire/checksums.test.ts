import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, readUntilError } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(2 * smallPartBytes + 17, "large");

describe("each checksumAlgorithm", { concurrency: 2 }, () => {
  for (const [checksumAlgorithm, recorded, scope] of [
    ["CRC32", "crc32", "full-object"],
    ["CRC32C", "crc32c", "full-object"],
    ["CRC64NVME", "crc64nvme", "full-object"],
    ["SHA1", "sha1", "composite"],
    ["SHA256", "sha256", "composite"],
    // S3 computes one of its own where none is sent.
    ["", "crc64nvme", "full-object"],
  ] as const) {
    const word = checksumAlgorithm === "" ? "none" : checksumAlgorithm;
    const name = word.toLowerCase();
    const config = { ...smallParts, checksumAlgorithm };

    test(`with ${word} a small and a large object are written and read back`, async () => {
      const location = await rig.open(`good-${name}`, { config });

      await location.put("small", small);
      await location.put("large", large);

      assert.ok((await location.get("small")).equals(small));
      assert.ok((await location.get("large")).equals(large));
    });

    test(`with ${word} the store keeps a checksum that can be described`, async () => {
      const location = await rig.open(`described-${name}`, { config });
      await location.put("small", small);
      await location.put("large", large);

      const described = [await location.describe("small"), await location.describe("large")];

      assert.deepEqual(
        described.map(({ checksum }) => [checksum?.algorithm, checksum?.scope]),
        [
          [recorded, "full-object"],
          [recorded, scope],
        ],
      );
    });

    for (const [size, body] of [
      ["small", small],
      ["large", large],
    ] as const) {
      test(`with ${word} a ${size} object that lost a bit is corrupt`, async () => {
        const location = await rig.open(`bad-${size}-${name}`, { config });
        await location.put("contents", body);
        await location.flipBit("contents", body.length - 5);

        const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

        assert.equal(error.kind, "corrupt");
        assert.ok(receivedBytes < body.length);
      });
    }
  }

  test("without checksumAlgorithm the store is given the CRC32 of the whole object", async () => {
    const location = await rig.open("default-checksum", { config: smallParts });

    await location.put("contents", large);

    const { checksum } = await location.describe("contents");
    assert.equal(checksum?.algorithm, "crc32");
    assert.equal(checksum.scope, "full-object");
  });

  test('with "" no request names a checksum algorithm, and each body carries its Content-MD5', async () => {
    const location = await rig.open("md5-only", { config: { ...smallParts, checksumAlgorithm: "" } });

    await location.put("small", small);
    await location.put("large", large);

    const requests = rig.requestsOf("md5-only");
    const bodies = requests.filter(({ operation }) => operation === "PutObject" || operation === "UploadPart");
    const names = requests.flatMap(({ headers }) => [...headers.keys()]);
    assert.deepEqual(
      names.filter((header) => /^x-amz-(sdk-)?checksum-(?!mode)/.test(header)),
      [],
    );
    for (const { headers } of bodies) assert.match(headers.get("content-md5") ?? "", /^[\w+/]{22}==$/);
  });
});
