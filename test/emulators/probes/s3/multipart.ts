import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, ChecksumType, CompletedPart } from "@aws-sdk/client-s3";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { S3Context } from "./context.ts";

const partBytes = 5 * 1024 ** 2;

/** An upload whose parts are there. */
interface Uploaded {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
  readonly Parts: CompletedPart[];
  readonly bytes: Buffer;
}

async function upload(
  s3: S3Context,
  options: {
    readonly algorithm?: ChecksumAlgorithm;
    readonly type?: ChecksumType;
    readonly sizes?: readonly number[];
  } = {},
): Promise<Uploaded> {
  const { algorithm, type, sizes = [partBytes, partBytes, 1000] } = options;
  const Bucket = await s3.bucket();
  const Key = s3.key();
  const { UploadId = "" } = await s3.client.send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm }),
      ...(type === undefined ? {} : { ChecksumType: type }),
    }),
  );
  const bodies = sizes.map((size) => randomBytes(size));
  const client = algorithm === undefined ? s3.newClient({ requestChecksumCalculation: "WHEN_REQUIRED" }) : s3.client;
  const Parts: CompletedPart[] = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = await client.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body,
        ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm }),
      }),
    );
    const checksums = { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
    Parts.push({ PartNumber, ETag, ...checksums });
  }
  return { Bucket, Key, UploadId, Parts, bytes: Buffer.concat(bodies) };
}

function completion(
  { Bucket, Key, UploadId, Parts }: Uploaded,
  more: Partial<ConstructorParameters<typeof CompleteMultipartUploadCommand>[0]> = {},
): CompleteMultipartUploadCommand {
  return new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more });
}

function base64Crc32(bytes: Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString("base64");
}

async function checkMultipart(
  s3: S3Context,
  algorithm: "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256",
  type: ChecksumType,
): Promise<void> {
  const made = await upload(s3, { algorithm, type });
  const field = `Checksum${algorithm}` as const;
  const completed = await s3.client.send(completion(made, { ChecksumType: type }));

  const { Bucket, Key } = made;
  const got = await s3.get({ Bucket, Key });
  const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));

  assert.deepEqual(got.bytes, made.bytes);
  assert.equal(head.ChecksumType, type);
  assert.equal(completed[field], head[field]);
  assert.equal(head[field]?.includes("-"), type === "COMPOSITE");
  if (algorithm === "CRC32" && type === "FULL_OBJECT") assert.equal(head[field], base64Crc32(made.bytes));
  if (algorithm === "SHA256") assert.equal(head[field], compositeSha256(made));
  if (type === "COMPOSITE") return;
  // The store's claim for the whole object must be what the same store computes for the same bytes in one request.
  const single = await s3.put({ Key: s3.key(), Body: made.bytes, ChecksumAlgorithm: algorithm });
  assert.equal(head[field], single[field]);
}

function compositeSha256({ Parts }: Uploaded): string {
  const digest = createHash("sha256");
  for (const { ChecksumSHA256 = "" } of Parts) digest.update(Buffer.from(ChecksumSHA256, "base64"));
  return `${digest.digest("base64")}-${Parts.length}`;
}

const kinds = [
  ["CRC32", "FULL_OBJECT"],
  ["CRC32", "COMPOSITE"],
  ["CRC32C", "COMPOSITE"],
  ["CRC32C", "FULL_OBJECT"],
  ["CRC64NVME", "FULL_OBJECT"],
  ["SHA1", "COMPOSITE"],
  ["SHA256", "COMPOSITE"],
] as const;

/** Multipart uploads. */
export const multipartProbes: readonly Probe<S3Context>[] = [
  ...kinds.map(([algorithm, type]): Probe<S3Context> => ({
    name: `a multipart object has a ${type} ${algorithm}`,
    run: (s3) => checkMultipart(s3, algorithm, type),
  })),
  {
    name: "the ETag of a multipart object is the MD5 of the parts' MD5s",
    run: async (s3) => {
      const made = await upload(s3);
      const md5 = createHash("md5");
      for (const { ETag = "" } of made.Parts) md5.update(Buffer.from(ETag.replaceAll('"', ""), "hex"));

      const { ETag } = await s3.client.send(completion(made));

      assert.equal(ETag, `"${md5.digest("hex")}-3"`);
    },
  },
  {
    name: "a multipart checksum of the whole object is refused when wrong",
    run: async (s3) => {
      const made = await upload(s3, { algorithm: "CRC32", type: "FULL_OBJECT", sizes: [partBytes, 10] });
      const right = base64Crc32(made.bytes);

      const wrong = s3.client.send(completion(made, { ChecksumCRC32: "AAAAAA==", ChecksumType: "FULL_OBJECT" }));
      await expectFailure(wrong, "BadDigest", 400);

      await s3.client.send(completion(made, { ChecksumCRC32: right, ChecksumType: "FULL_OBJECT" }));
    },
  },
  {
    name: "a FULL_OBJECT SHA256 is refused",
    run: async (s3) => {
      const input = {
        Bucket: await s3.bucket(),
        Key: s3.key(),
        ChecksumAlgorithm: "SHA256",
        ChecksumType: "FULL_OBJECT",
      } as const;

      await expectFailure(s3.client.send(new CreateMultipartUploadCommand(input)), "InvalidRequest", 400);
    },
  },
  {
    name: "a wrong x-amz-mp-object-size is refused",
    run: async (s3) => {
      const made = await upload(s3, { sizes: [100] });

      await expectFailure(s3.client.send(completion(made, { MpuObjectSize: 101 })), "InvalidRequest", 400);
    },
  },
  {
    name: "a part that is too small is refused at completion",
    run: async (s3) => {
      const made = await upload(s3, { sizes: [1000, 1000] });

      await expectFailure(s3.client.send(completion(made)), "EntityTooSmall", 400);
    },
  },
  {
    name: "parts out of order are refused",
    run: async (s3) => {
      const made = await upload(s3);

      await expectFailure(
        s3.client.send(completion({ ...made, Parts: made.Parts.toReversed() })),
        "InvalidPartOrder",
        400,
      );
    },
  },
  {
    name: "a part that was not uploaded is refused",
    run: async (s3) => {
      const made = await upload(s3, { sizes: [partBytes] });
      const Parts = [...made.Parts, { PartNumber: 2, ETag: '"00000000000000000000000000000000"' }];

      await expectFailure(s3.client.send(completion({ ...made, Parts })), "InvalidPart", 400);
    },
  },
  {
    name: "a part that is uploaded again replaces the first",
    run: async (s3) => {
      const made = await upload(s3, { sizes: [partBytes, 1000] });
      const { Bucket, Key, UploadId } = made;
      const Body = randomBytes(500);
      const client = s3.newClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
      const again = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 2, Body }));
      const Parts = [...made.Parts.slice(0, 1), { PartNumber: 2, ETag: again.ETag }];

      await s3.client.send(completion({ ...made, Parts }));

      const { bytes } = await s3.get({ Key });
      assert.deepEqual(bytes, Buffer.concat([made.bytes.subarray(0, partBytes), Body]));
    },
  },
  {
    name: "part number 10001 is refused",
    run: async (s3) => {
      const { Bucket, Key, UploadId } = await upload(s3, { sizes: [10] });
      const input = { Bucket, Key, UploadId, PartNumber: 10_001, Body: "x" };

      await expectFailure(s3.client.send(new UploadPartCommand(input)), "InvalidArgument", 400);
    },
  },
  {
    name: "an upload is listed until it is aborted",
    run: async (s3) => {
      const { Bucket, Key, UploadId } = await upload(s3, { sizes: [10, 20] });
      const list = async (): Promise<readonly string[]> => {
        const { Uploads = [] } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
        return Uploads.map((one) => one.UploadId ?? "");
      };
      const { Parts = [] } = await s3.client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
      const before = await list();

      await s3.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));

      assert.deepEqual([Parts.map((part) => part.Size), before, await list()], [[10, 20], [UploadId], []]);
      await expectFailure(s3.client.send(new ListPartsCommand({ Bucket, Key, UploadId })), "NoSuchUpload", 404);
    },
  },
  {
    name: "GET with a part number returns that part and their number",
    run: async (s3) => {
      const made = await upload(s3, { algorithm: "CRC32", type: "FULL_OBJECT" });
      await s3.client.send(completion(made));

      const { bytes, PartsCount, ContentRange } = await s3.get({ Key: made.Key, PartNumber: 2 });

      assert.deepEqual(bytes, made.bytes.subarray(partBytes, 2 * partBytes));
      assert.equal(PartsCount, 3);
      assert.equal(ContentRange, `bytes ${partBytes}-${2 * partBytes - 1}/${made.bytes.length}`);
    },
  },
  {
    name: "GetObjectAttributes tells size, checksum and parts",
    run: async (s3) => {
      const made = await upload(s3, { algorithm: "SHA256", type: "COMPOSITE" });
      await s3.client.send(completion(made));
      const { Bucket, Key } = made;

      const attributes = await s3.client.send(
        new GetObjectAttributesCommand({
          Bucket,
          Key,
          ObjectAttributes: ["ObjectSize", "Checksum", "ObjectParts", "ETag"],
        }),
      );

      assert.equal(attributes.ObjectSize, made.bytes.length);
      assert.equal(attributes.ObjectParts?.TotalPartsCount, 3);
      assert.deepEqual(
        attributes.ObjectParts.Parts?.map((part) => part.ChecksumSHA256),
        made.Parts.map((part) => part.ChecksumSHA256),
      );
      assert.ok(attributes.Checksum?.ChecksumSHA256);
      assert.match(attributes.ETag ?? "", /^[\da-f]{32}-3$/);
    },
  },
  {
    name: "UploadPartCopy copies a range from another bucket",
    run: async (s3) => {
      const source = await upload(s3, { sizes: [partBytes, partBytes] });
      await s3.client.send(completion(source));
      const Bucket = await s3.secondBucket();
      const Key = s3.key();
      const { UploadId = "" } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const CopySource = `${source.Bucket}/${source.Key}`;
      const range = { CopySource, CopySourceRange: `bytes=100-${partBytes + 199}` };

      const part = await s3.client.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 1, ...range }));
      const Parts = [{ PartNumber: 1, ETag: part.CopyPartResult?.ETag }];
      await s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));

      const { bytes } = await s3.get({ Bucket, Key });
      assert.deepEqual(bytes, source.bytes.subarray(100, partBytes + 200));
    },
  },
  {
    name: "a completion with If-None-Match is refused where the key exists",
    run: async (s3) => {
      const made = await upload(s3, { sizes: [100] });
      await s3.put({ Key: made.Key, Body: "first" });

      await expectFailure(s3.client.send(completion(made, { IfNoneMatch: "*" })), "PreconditionFailed", 412);
    },
  },
];
