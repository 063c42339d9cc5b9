import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, CreateMultipartUploadCommandOutput, UploadPartCopyCommandInput } from "@aws-sdk/client-s3";
import type { BlobUpload, Checksum, CompletedUpload, UploadedPart } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { LocationChecksum } from "./config-values.ts";
import { codeOf } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { objectAttempt } from "./s3-attempts.ts";
import {
  answeredChecksum,
  checksumFields,
  compositeOf,
  isFullObjectAlgorithm,
  isSameRecord,
  s3AlgorithmName,
} from "./s3-checksums.ts";
import type { ChecksumAnswer, RecordedBytes } from "./s3-checksums.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import type { S3Session } from "./s3-session.ts";

/** What a multipart upload of one key needs. */
export interface S3UploadOptions {
  readonly session: S3Session;
  readonly key: string;
  readonly checksumAlgorithm: LocationChecksum;
  readonly encryption: S3Encryption;
  readonly tagging: string | undefined;
  /** Removes the object and throws `corrupt`. */
  readonly rejectCorrupt: (attempt: Attempt, call: Call) => Promise<never>;
}

/** A stretch of another object. */
export interface CopiedRange {
  /** What names the other object, its version and its key, in S3's own fields. */
  readonly source: Pick<
    UploadPartCopyCommandInput,
    | "CopySource"
    | "CopySourceIfMatch"
    | "CopySourceSSECustomerAlgorithm"
    | "CopySourceSSECustomerKey"
    | "ExpectedSourceBucketOwner"
  >;
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** Starts a multipart upload, over the whole of which S3 keeps one checksum where the algorithm allows it. */
export async function startS3Upload(options: S3UploadOptions, call: Call): Promise<S3Upload> {
  const { session, key, checksumAlgorithm, encryption, tagging } = options;
  const algorithm = s3AlgorithmName(checksumAlgorithm);
  const wantsFullObject = isFullObjectAlgorithm(checksumAlgorithm);
  const command = new CreateMultipartUploadCommand({
    Bucket: session.bucket,
    Key: key,
    ...(algorithm === undefined
      ? {}
      : { ChecksumAlgorithm: algorithm, ChecksumType: wantsFullObject ? "FULL_OBJECT" : "COMPOSITE" }),
    ...encryption.newObject,
    ...(tagging ? { Tagging: tagging } : {}),
  });
  const attempt = objectAttempt("start the upload of", "s3:PutObject", session.bucket, key);
  const answer = await session.run(attempt, call, async (client, send) => await client.send(command, send));
  return new S3Upload(options, uploadIdOf(answer, attempt), wantsFullObject && answer.ChecksumType === "FULL_OBJECT");
}

function uploadIdOf(answer: CreateMultipartUploadCommandOutput, attempt: Attempt): string {
  if (answer.UploadId !== undefined && answer.UploadId !== "") return answer.UploadId;
  throw new PluginError(`${attempt.action}: the store answered no upload id; check s3Url`, { kind: "unsupported" });
}

/** A multipart upload that is under way. */
export class S3Upload implements BlobUpload {
  readonly #options: S3UploadOptions;
  readonly #session: S3Session;
  readonly #target: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
  /** Whether the store agreed to keep a checksum over all bytes; older ones keep one over the parts' or none. */
  readonly #isFullObject: boolean;

  constructor(options: S3UploadOptions, uploadId: string, isFullObject: boolean) {
    this.#options = options;
    this.#session = options.session;
    this.#target = { Bucket: options.session.bucket, Key: options.key, UploadId: uploadId };
    this.#isFullObject = isFullObject;
  }

  async putPart(number: number, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<UploadedPart> {
    const command = new UploadPartCommand({
      ...this.#target,
      PartNumber: number,
      Body: body,
      ContentLength: body.byteLength,
      ...checksumFields(checksum),
      ...this.#options.encryption.customerKey,
    });
    const attempt = this.#attempt(`upload part ${number} of`);
    const answer = await this.#session.run(attempt, call, async (client, send) => await client.send(command, send));
    if (checksum !== undefined) this.#requireSame(answer, { ...checksum, partCount: undefined }, attempt);
    if (answer.ETag === undefined || answer.ETag === "")
      throw new PluginError(`${attempt.action}: the store answered no ETag; check s3Url`, { kind: "unsupported" });
    return { number, sizeBytes: body.byteLength, checksum, token: answer.ETag };
  }

  /** Fills one part from another object; what S3 answers is the checksum of the bytes that arrived. */
  async copyPart(number: number, range: CopiedRange, attempt: Attempt, call: Call): Promise<UploadedPart> {
    const { checksumAlgorithm, encryption } = this.#options;
    const command = new UploadPartCopyCommand({
      ...this.#target,
      ...range.source,
      ...encryption.customerKey,
      PartNumber: number,
      CopySourceRange: `bytes=${range.start}-${range.end}`,
    });
    const answer = await this.#session.run(attempt, call, async (client, send) => await client.send(command, send));
    const result = answer.CopyPartResult ?? {};
    if (result.ETag === undefined || result.ETag === "")
      throw new PluginError(`${attempt.action}: the store answered no ETag; check s3Url`, { kind: "unsupported" });
    const checksum = answeredChecksum(result, checksumAlgorithm, this.#session.isAws);
    return {
      number,
      sizeBytes: range.end - range.start + 1,
      checksum: checksum?.partCount === undefined && checksumAlgorithm !== "md5" ? checksum : undefined,
      token: result.ETag,
    };
  }

  async complete(upload: CompletedUpload, call: Call): Promise<void> {
    const { encryption, checksumAlgorithm, rejectCorrupt } = this.#options;
    const algorithm = s3AlgorithmName(checksumAlgorithm);
    const full = this.#isFullObject ? upload.checksum : undefined;
    const command = new CompleteMultipartUploadCommand({
      ...this.#target,
      MultipartUpload: { Parts: upload.parts.map((part) => completedPart(part, algorithm !== undefined)) },
      MpuObjectSize: upload.sizeBytes,
      ...(full === undefined ? {} : { ...checksumFields(full), ChecksumType: "FULL_OBJECT" }),
      ...encryption.customerKey,
    });
    const attempt = this.#attempt("complete the upload of");
    const expected = await this.#expected(upload);
    let answer: ChecksumAnswer;
    try {
      answer = await this.#session.run(attempt, call, async (client, send) => await client.send(command, send));
    } catch (error) {
      if (await this.#wasCompleted(error, expected, call)) return;
      throw error;
    }
    const answered = answeredChecksum(answer, checksumAlgorithm, this.#session.isAws);
    if (answered !== undefined && !expected.some((one) => isSameRecord(one, answered)))
      await rejectCorrupt(attempt, call);
  }

  async abort(call: Call): Promise<void> {
    const attempt = { ...this.#attempt("abort the upload of"), permission: "s3:AbortMultipartUpload" };
    try {
      await this.#session.run(attempt, call, async (client, send) => {
        await client.send(new AbortMultipartUploadCommand(this.#target), send);
      });
    } catch (error) {
      if (!isNoSuchUpload(error)) throw error;
    }
  }

  #attempt(verb: string): Attempt {
    return objectAttempt(verb, "s3:PutObject", this.#session.bucket, this.#options.key);
  }

  /** The checksums that the finished object may rightly have: over all bytes, or over the parts'. */
  async #expected(upload: CompletedUpload): Promise<readonly RecordedBytes[]> {
    const composite = await compositeOf(this.#options.checksumAlgorithm, upload.parts);
    return [
      ...(upload.checksum === undefined ? [] : [{ ...upload.checksum, partCount: undefined }]),
      ...(composite === undefined ? [] : [composite]),
    ];
  }

  #requireSame(answer: ChecksumAnswer, expected: RecordedBytes, attempt: Attempt): void {
    // The ETag of a part is documented as an MD5 by AWS only.
    if (expected.algorithm === "md5" && !this.#session.isAws) return;
    const answered = answeredChecksum(answer, expected.algorithm, this.#session.isAws);
    if (answered === undefined || isSameRecord(answered, expected)) return;
    throw new PluginError(`${attempt.action}: the store recorded another checksum than that of the bytes sent`, {
      kind: "corrupt",
    });
  }

  /**
   * The answer of a first try may be lost, and the second then finds no upload any more. Only the very checksum of this
   * upload proves that the object is ours.
   */
  async #wasCompleted(error: unknown, expected: readonly RecordedBytes[], call: Call): Promise<boolean> {
    if (!isNoSuchUpload(error)) return false;
    const { session, key, encryption, checksumAlgorithm } = this.#options;
    const attempt = objectAttempt("look up", "s3:GetObject", session.bucket, key);
    try {
      const input = { Bucket: session.bucket, Key: key, ChecksumMode: "ENABLED" as const, ...encryption.customerKey };
      const head = await session.run(
        attempt,
        call,
        async (client, send) => await client.send(new HeadObjectCommand(input), send),
      );
      const recorded = answeredChecksum(head, checksumAlgorithm, session.isAws);
      return recorded !== undefined && expected.some((one) => isSameRecord(one, recorded));
    } catch (lookupError) {
      call.log.debug("an upload that is gone left no object to look at", {
        key,
        reason: PluginError.from(lookupError).message,
      });
      return false;
    }
  }
}

function completedPart(part: UploadedPart, hasChecksum: boolean): CompletedPart {
  return {
    PartNumber: part.number,
    ETag: part.token,
    ...(hasChecksum ? checksumFields(part.checksum) : {}),
  };
}

function isNoSuchUpload(error: unknown): boolean {
  return error instanceof PluginError && codeOf(error.cause) === "NoSuchUpload";
}
