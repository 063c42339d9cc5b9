import assert from "node:assert/strict";
import { test } from "node:test";

import type { ObjectDescription, RecordedChecksum } from "@flotilla/sdk/plugin";

import { BodyDigest, comparableChecksum } from "./body-digest.ts";

function described(checksum: RecordedChecksum | undefined): ObjectDescription {
  return { sizeBytes: 9n, checksum, version: "", lastModified: undefined, hold: "" };
}

// The check values of the algorithms' own definitions, over the digits from 1 to 9.
for (const [algorithm, value] of [
  ["crc32", "y/Q5Jg=="],
  ["crc32c", "4waSgw=="],
  ["crc64nvme", "rosUhgp5mIg="],
  ["md5", "25f9e794323b453885f5181f1b624d0b"],
  ["md5", "JfnnlDI7RTiF9RgfG2JNCw=="],
  ["sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="],
  ["sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="],
] as const) {
  test(`a recorded ${algorithm}, ${value}, is compared with the bytes that passed`, async () => {
    const recorded = comparableChecksum(described({ algorithm, value, scope: "full-object" }));
    const [same, other] = [await BodyDigest.begin(recorded), await BodyDigest.begin(recorded)];

    for (const piece of ["1234", "56789"]) same.update(Buffer.from(piece));
    other.update(Buffer.from("123456780"));

    assert.ok(recorded !== undefined);
    assert.equal(same.finish().agreesWith(recorded), true);
    assert.equal(other.finish().agreesWith(recorded), false);
  });
}

test("a checksum over parts, one of an unknown kind or form, and none at all cannot be compared", () => {
  const composite = described({ algorithm: "crc32", value: "y/Q5Jg==", scope: "composite" });
  const unknown = described({ algorithm: "blake3", value: "AAAA", scope: "full-object" });

  const decimal = described({ algorithm: "crc32", value: "3421780262", scope: "full-object" });

  assert.deepEqual([composite, unknown, decimal, described(undefined), undefined].map(comparableChecksum), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
