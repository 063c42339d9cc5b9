import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart } from "@aws-sdk/client-s3";

import { bytesOf, readUntilError } from "./bytes.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const officialPartBytes = 5 * 1024 ** 2;
const body = bytesOf(2 * officialPartBytes + 54_321, "official");

/** Stores an object as the official plugin's uploader does: parts of 5 MiB, the checksum of the parts' checksums. */
async function putAsOfficial(bucket: string, key: string, bytes: Buffer): Promise<void> {
  const target = { Bucket: bucket, Key: key };
  const started = { ...target, ChecksumAlgorithm: "CRC32", ChecksumType: "COMPOSITE" } as const;
  const { UploadId } = await rig.probe.send(new CreateMultipartUploadCommand(started));
  const parts: CompletedPart[] = [];
  for (let start = 0; start < bytes.length; start += officialPartBytes) {
    const part = { ...target, UploadId, PartNumber: parts.length + 1, ChecksumAlgorithm: "CRC32" } as const;
    const Body = bytes.subarray(start, start + officialPartBytes);
    const { ETag, ChecksumCRC32 } = await rig.probe.send(new UploadPartCommand({ ...part, Body }));
    parts.push({ PartNumber: part.PartNumber, ...(ETag && { ETag }), ...(ChecksumCRC32 && { ChecksumCRC32 }) });
  }
  await rig.probe.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }));
}

describe("objects that the official plugin wrote", { concurrency: 2 }, () => {
  test("a large one is read and described with its composite checksum", async () => {
    const location = await rig.open("official-large");
    await putAsOfficial("official-large", "contents", body);

    assert.ok((await location.get("contents")).equals(body));
    const { checksum } = await location.describe("contents");
    assert.deepEqual([checksum?.algorithm, checksum?.scope], ["crc32", "composite"]);
  });

  for (const [name, position] of [
    ["first", 3],
    ["second", officialPartBytes + 3],
    ["last", body.length - 3],
  ] as const) {
    test(`a large one that lost a bit in its ${name} part is corrupt`, async () => {
      const location = await rig.open(`official-${name}`);
      await putAsOfficial(`official-${name}`, "contents", body);
      await location.flipBit("contents", position);

      const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
      assert.ok(receivedBytes < body.length);
    });
  }

  test("a small one is verified by its CRC32", async () => {
    const location = await rig.open("official-small");
    const put = { Bucket: "official-small", Key: "contents", ChecksumAlgorithm: "CRC32", Body: "small" } as const;
    await rig.probe.send(new PutObjectCommand(put));
    await location.flipBit("contents", 2);

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  test("a folder marker of no bytes is listed, read and deleted", async () => {
    const location = await rig.open("folder-marker");
    await rig.probe.send(new PutObjectCommand({ Bucket: "folder-marker", Key: "backups/", Body: "" }));

    assert.deepEqual(await location.list(), ["backups/"]);
    assert.equal((await location.get("backups/")).length, 0);
    await location.store.deleteObject(location.at("backups/"));
    assert.deepEqual(await location.list(), []);
  });
});
