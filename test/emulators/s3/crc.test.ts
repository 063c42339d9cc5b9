import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { combineCrcs, crc32Kind, crc32cKind, crc64NvmeKind } from "./crc-combine.ts";
import { createCrc32, createCrc32c, createCrc64Nvme } from "../crc.ts";

const kinds = [
  { name: "CRC32", create: createCrc32, kind: crc32Kind, check: "cbf43926" },
  { name: "CRC32C", create: createCrc32c, kind: crc32cKind, check: "e3069283" },
  { name: "CRC64NVME", create: createCrc64Nvme, kind: crc64NvmeKind, check: "ae8b14860a799888" },
];

for (const { name, create, kind, check } of kinds) {
  const crcOf = (...chunks: Uint8Array[]): Buffer => {
    const crc = create();
    for (const chunk of chunks) crc.update(chunk);
    return crc.digest();
  };

  test(`${name} of "123456789" is the published check value`, () => {
    assert.equal(crcOf(Buffer.from("123456789")).toString("hex"), check);
  });

  test(`${name} does not depend on how the bytes are cut`, () => {
    const data = randomBytes(1009);

    const pieces = [data.subarray(0, 3), data.subarray(3, 500), data.subarray(500, 500), data.subarray(500)];

    assert.deepEqual(crcOf(...pieces), crcOf(data));
  });

  test(`${name} of parts combines to that of the whole`, () => {
    const parts = [randomBytes(1000), randomBytes(1000), Buffer.alloc(0), randomBytes(77)];

    const combined = combineCrcs(
      kind,
      parts.map((part) => ({ crc: crcOf(part), size: part.length })),
    );

    assert.deepEqual(combined, crcOf(...parts));
  });
}
