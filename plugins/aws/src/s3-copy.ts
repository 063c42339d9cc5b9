import { CopyObjectCommand } from "@aws-sdk/client-s3";
import { combineChecksums } from "@flotilla/sdk/objects";
import type { Checksum, CopySource, UploadedPart } from "@flotilla/sdk/objects";
import { defaultTries, PluginError, systemClock, withRetry } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";
import { answeredChecksum, isFullObjectAlgorithm, s3AlgorithmName } from "./s3-checksums.ts";
import type { RecordedBytes } from "./s3-checksums.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import { startS3Upload } from "./s3-upload.ts";
import type { CopiedRange, S3Upload, S3UploadOptions } from "./s3-upload.ts";

/** Where a copying driver's sources are. */
export interface S3CopyOrigin {
  /** Of the objects that are copied. */
  readonly customerKey: S3Encryption["customerKey"];
  /** The account that must own the bucket of the sources. */
  readonly expectedBucketOwner: string | undefined;
  /** Larger objects are copied in parts. */
  readonly cutoffBytes: number;
}

/** Copies are made as uploads are: with the same encryption, tags and checksum. */
export interface S3CopyOptions extends S3UploadOptions {
  readonly origin: S3CopyOrigin;
  /** Called after an upload of parts was started. */
  readonly onUploadStarted: (call: Call) => void;
}

const mebibyte = 1024 ** 2;
/** So that many parts are under way and the requests are still few. */
const preferredPartBytes = 256 * mebibyte;
const maxParts = 10_000;
const partsInFlight = 10;
const abortLimitMs = 30_000;

/** Lets S3 copy one version of an object. Answers the checksum that S3 computed over what arrived, where it tells. */
export async function copyObject(
  options: S3CopyOptions,
  source: CopySource,
  call: Call,
): Promise<RecordedBytes | undefined> {
  const attempt = copyAttempt(options, source);
  if (source.sizeBytes > options.origin.cutoffBytes) return await copyInParts(options, source, attempt, call);
  const algorithm = s3AlgorithmName(options.checksumAlgorithm);
  const command = new CopyObjectCommand({
    Bucket: options.session.bucket,
    Key: options.key,
    ...sourceFields(options.origin, source),
    ...options.encryption.newObject,
    ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm }),
    // The source's tags would need permissions of their own, to read and to write.
    TaggingDirective: "REPLACE",
    ...(options.tagging ? { Tagging: options.tagging } : {}),
  });
  const answer = await options.session.run(attempt, call, async (client, send) => await client.send(command, send));
  return options.checksumAlgorithm === "md5"
    ? undefined
    : answeredChecksum(answer.CopyObjectResult ?? {}, options.checksumAlgorithm, options.session.isAws);
}

async function copyInParts(
  options: S3CopyOptions,
  source: CopySource,
  attempt: Attempt,
  call: Call,
): Promise<RecordedBytes | undefined> {
  const upload = await startS3Upload(options, call);
  options.onUploadStarted(call);
  try {
    const parts = await copyParts(options, upload, source, attempt, call);
    const checksum = recordedFullObject(source, options) ?? combined(parts);
    await upload.complete({ parts, sizeBytes: source.sizeBytes, checksum }, call);
    return checksum === undefined ? undefined : { ...checksum, partCount: undefined };
  } catch (error) {
    await abort(upload, attempt, call);
    throw error;
  }
}

async function copyParts(
  { origin, checksumAlgorithm }: S3CopyOptions,
  upload: S3Upload,
  source: CopySource,
  attempt: Attempt,
  call: Call,
): Promise<readonly UploadedPart[]> {
  const ranges = rangesOf(source.sizeBytes, origin.cutoffBytes);
  const fields = sourceFields(origin, source);
  const parts: UploadedPart[] = [];
  const retry = { ...defaultTries, clock: systemClock, random: Math.random };
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let range = ranges[next]; range !== undefined && failures.length === 0; range = ranges[next]) {
      const { start, end } = range;
      const number = (next += 1);
      const what = `${attempt.action}, part ${number}`;
      const copy = async (): Promise<UploadedPart> =>
        await upload.copyPart(number, { source: fields, start, end }, { ...attempt, action: what }, call);
      parts.push(requireChecksum(await withRetry(retry, call, what, copy), checksumAlgorithm, what));
    }
  };
  // Those under way are waited for when one has failed: a part that arrives after the abort would be left.
  const workers = Array.from({ length: partsInFlight }, async () => {
    await work().catch((error: unknown) => void failures.push(error));
  });
  await Promise.all(workers);
  if (failures.length > 0) throw PluginError.from(failures[0]);
  return parts.toSorted((a, b) => a.number - b.number);
}

/**
 * S3 answers each part's checksum. A store that does not would refuse the whole's at the end, or keep none: there the
 * bytes had better pass through the plugin.
 */
function requireChecksum(
  part: UploadedPart,
  algorithm: S3CopyOptions["checksumAlgorithm"],
  what: string,
): UploadedPart {
  if (algorithm === "md5" || part.checksum !== undefined) return part;
  throw new PluginError(`${what}: the store copies parts without a checksum`, { kind: "unsupported" });
}

function rangesOf(sizeBytes: number, cutoffBytes: number): readonly Pick<CopiedRange, "start" | "end">[] {
  const smallest = Math.ceil(sizeBytes / maxParts / mebibyte) * mebibyte;
  const partBytes = Math.max(Math.min(preferredPartBytes, cutoffBytes), smallest);
  return Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) => ({
    start: index * partBytes,
    end: Math.min(sizeBytes, (index + 1) * partBytes) - 1,
  }));
}

function sourceFields({ customerKey, expectedBucketOwner }: S3CopyOrigin, source: CopySource): CopiedRange["source"] {
  const { SSECustomerAlgorithm, SSECustomerKey } = customerKey;
  return {
    CopySource: `${source.bucket}/${source.key.split("/").map(encodeURIComponent).join("/")}`,
    ...(source.version === "" ? {} : { CopySourceIfMatch: source.version }),
    ...(SSECustomerAlgorithm === undefined ? {} : { CopySourceSSECustomerAlgorithm: SSECustomerAlgorithm }),
    ...(SSECustomerKey === undefined ? {} : { CopySourceSSECustomerKey: SSECustomerKey }),
    ...(expectedBucketOwner === undefined ? {} : { ExpectedSourceBucketOwner: expectedBucketOwner }),
  };
}

/** What the source's store recorded over all bytes, for S3 to verify the copy by. */
function recordedFullObject({ checksum }: CopySource, { checksumAlgorithm }: S3CopyOptions): Checksum | undefined {
  if (checksum?.scope !== "full-object" || checksum.algorithm !== checksumAlgorithm) return undefined;
  if (!isFullObjectAlgorithm(checksumAlgorithm)) return undefined;
  return { algorithm: checksumAlgorithm, bytes: Buffer.from(checksum.value, "base64") };
}

function combined([first, ...others]: readonly UploadedPart[]): Checksum | undefined {
  return others.reduce<Checksum | undefined>(
    (sum, part) => (sum && part.checksum ? combineChecksums(sum, part.checksum, part.sizeBytes) : undefined),
    first?.checksum,
  );
}

async function abort(upload: S3Upload, attempt: Attempt, call: Call): Promise<void> {
  try {
    // A signal of its own: the copy's may have been aborted.
    await upload.abort({ log: call.log, signal: AbortSignal.timeout(abortLimitMs) });
  } catch (error) {
    const reason = PluginError.from(error).message;
    call.log.info("the parts of a failed copy cost storage until a lifecycle rule removes them", {
      copy: attempt.action,
      reason,
    });
  }
}

function copyAttempt({ session, key }: S3CopyOptions, source: CopySource): Attempt {
  return {
    action: `copy object "${source.key}" in bucket "${source.bucket}" to "${key}" in bucket "${session.bucket}"`,
    permission: `s3:GetObject on bucket "${source.bucket}" and s3:PutObject on bucket "${session.bucket}"`,
    subject: `object "${source.key}" in bucket "${source.bucket}"`,
    deniedAdvice: "with KMS keys also kms:Decrypt on the source's and kms:GenerateDataKey on the copy's",
  };
}
