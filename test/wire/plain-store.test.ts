import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, collectAll, readUntilError } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

// A compatible store that keeps no checksums: what it stored is still to be had, and what can be verified is.
const rig = await startObjectRig({ keepsChecksums: false });
after(() => rig.close());

const large = bytesOf(2 * smallPartBytes + 1, "plain store");

describe("a store that keeps no checksums", { concurrency: true }, () => {
  for (const checksumAlgorithm of ["CRC32", "CRC64NVME", "SHA256", ""]) {
    const word = checksumAlgorithm === "" ? "none" : checksumAlgorithm;

    test(`a small object that lost a bit is corrupt by its ETag, with checksumAlgorithm ${word}`, async () => {
      const location = await rig.open(`plain-small-${word.toLowerCase()}`, { config: { checksumAlgorithm } });
      await location.put("contents", Buffer.from("small"));
      await location.flipBit("contents", 1);

      const { error } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
    });

    test(`a large object is written and read, with checksumAlgorithm ${word}`, async () => {
      const bucket = `plain-large-${word.toLowerCase()}`;
      const location = await rig.open(bucket, { config: { ...smallParts, checksumAlgorithm } });

      await location.put("contents", large);

      assert.ok((await location.get("contents")).equals(large));
    });
  }

  test("a large object without anything to verify it is served, and its description says so", async () => {
    const location = await rig.open("plain-unverified", { config: smallParts });
    await location.put("contents", large);
    await location.flipBit("contents", 1);

    assert.equal((await location.get("contents")).length, large.length);
    assert.equal((await location.describe("contents")).checksum, undefined);
  });

  test("the check of the location finds nothing wrong", async () => {
    const location = await rig.open("plain-check");

    const findings = await collectAll(location.store.check());

    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure"),
      [],
    );
  });
});
