import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type {
  BlobDescription,
  BlobDriver,
  BlobLimits,
  BlobPage,
  BlobRange,
  BlobRead,
  BlobUpload,
  Checksum,
  CopySource,
  StoredChecksum,
} from "@flotilla/sdk/objects";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { HttpRequest } from "@smithy/core/protocols";
import type { LocationChecksum } from "./config-values.ts";
import { statusOf } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { objectAttempt, readAttempt } from "./s3-attempts.ts";
import { describeObject } from "./s3-description.ts";
import {
  answeredChecksum,
  checksumFields,
  describeChecksum,
  isOtherRecord,
  isSameRecord,
  recordedChecksum,
  storedChecksum,
} from "./s3-checksums.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import { decodeListed, nextPageOf } from "./s3-listing.ts";
import { findPartSizes } from "./s3-part-sizes.ts";
import type { S3Session } from "./s3-session.ts";
import { readBody } from "./s3-body.ts";
import { copyObject } from "./s3-copy.ts";
import type { S3CopyOrigin } from "./s3-copy.ts";
import { startS3Upload } from "./s3-upload.ts";
import type { S3UploadOptions } from "./s3-upload.ts";

/** What the driver of one bucket works with. */
export interface S3BlobDriverOptions {
  readonly session: S3Session;
  readonly checksumAlgorithm: LocationChecksum;
  readonly encryption: S3Encryption;
  /** In the form of the x-amz-tagging header; an empty one is never sent, since some stores refuse it. */
  readonly tagging: string | undefined;
  /** Called after an upload of parts was started: the moment to look for what earlier ones left. */
  readonly onUploadStarted: (call: Call) => void;
  /** Where copies come from; undefined where this bucket's store cannot copy from there. */
  readonly copyOrigin?: S3CopyOrigin | undefined;
  /** Signs a GET of the key. */
  readonly sign: (key: string, ttlSeconds: number, call: Call) => Promise<string>;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const limits: BlobLimits = {
  minPartBytes: 5 * 1024 ** 2,
  maxPartBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxObjectBytes: 5 * 1024 ** 4,
};

/** One bucket of S3 or of a store that speaks its protocol. */
export class S3BlobDriver implements BlobDriver {
  readonly limits = limits;
  readonly checksumAlgorithm: LocationChecksum;
  readonly #options: S3BlobDriverOptions;
  readonly #session: S3Session;

  constructor(options: S3BlobDriverOptions) {
    this.checksumAlgorithm = options.checksumAlgorithm;
    this.#options = options;
    this.#session = options.session;
  }

  async stat(key: string, call: Call): Promise<BlobDescription | undefined> {
    const input = { ...this.#target(key), ...this.#options.encryption.customerKey, ChecksumMode: "ENABLED" as const };
    try {
      const answer = await this.#session.run(
        this.#reading("look up", key),
        call,
        async (client, options) => await client.send(new HeadObjectCommand(input), options),
      );
      return describeObject(answer, this.#session.isAws);
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
      // A HEAD has no body that would tell an absent object from an absent bucket.
      await this.#requireBucket(call);
      return undefined;
    }
  }

  async comparesParts(
    key: string,
    { sizeBytes, checksum, readVersion }: BlobDescription,
    call: Call,
  ): Promise<boolean> {
    const partCount = Number(/-(\d+)$/.exec(checksum?.value ?? "")?.[1]);
    const object = { key, sizeBytes: Number(sizeBytes), partCount, etag: readVersion ?? "" };
    return (await findPartSizes(this.#session, this.#options.encryption, object, call)) !== undefined;
  }

  async read(key: string, call: Call): Promise<BlobRead> {
    const attempt = this.#reading("read", key);
    const command = new GetObjectCommand(this.#getInput(key));
    // Asked for by header: with the SDK's own option it would check every byte a second time.
    command.middlewareStack.add(
      (next) => async (args) => {
        if (HttpRequest.isInstance(args.request)) args.request.headers["x-amz-checksum-mode"] = "ENABLED";
        return await next(args);
      },
      { step: "build", name: "recordedChecksum" },
    );
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) => await client.send(command, options),
    );
    const body = readBody(answer, attempt, call.signal);
    try {
      const sizeBytes = answer.ContentLength ?? (await this.#sizeOf(key, call));
      const checksum = await this.#checksumOf(key, sizeBytes, answer, call);
      return { sizeBytes, version: answer.ETag ?? "", checksum, body };
    } catch (error) {
      await body[Symbol.asyncIterator]().return?.();
      throw error;
    }
  }

  async readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>> {
    const attempt = this.#reading("read", key);
    const input = { ...this.#getInput(key), Range: `bytes=${range.start}-${range.end}` };
    const command = new GetObjectCommand(range.version === "" ? input : { ...input, IfMatch: range.version });
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) => await client.send(command, options),
    );
    const body = readBody(answer, attempt, call.signal);
    const isThatRange = answer.ContentRange?.startsWith(`bytes ${range.start}-${range.end}/`) ?? false;
    if (isThatRange) return body;
    await body[Symbol.asyncIterator]().return?.();
    throw new PluginError(`${attempt.action}: the store answered another range than was asked for`, {
      kind: "unsupported",
    });
  }

  async put(key: string, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<void> {
    const { encryption, tagging } = this.#options;
    const command = new PutObjectCommand({
      ...this.#target(key),
      Body: body,
      ContentLength: body.byteLength,
      ...checksumFields(checksum),
      ...encryption.newObject,
      ...(tagging ? { Tagging: tagging } : {}),
    });
    const attempt = objectAttempt("put", "s3:PutObject", this.#session.bucket, key);
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) => await client.send(command, options),
    );
    if (checksum === undefined) return;
    const answered = answeredChecksum(answer, checksum.algorithm, this.#session.isAws);
    if (answered === undefined || isSameRecord(answered, { ...checksum, partCount: undefined })) return;
    await this.#removeCorrupt(key, attempt, call);
  }

  async startUpload(key: string, call: Call): Promise<BlobUpload> {
    const upload = await startS3Upload(this.#uploadOptions(key), call);
    this.#options.onUploadStarted(call);
    return upload;
  }

  /** Whether the store can copy into this bucket by itself. */
  get canCopy(): boolean {
    return this.#options.copyOrigin !== undefined;
  }

  async copyFrom(source: CopySource, key: string, call: Call): Promise<BlobDescription> {
    const { copyOrigin: origin, onUploadStarted } = this.#options;
    const attempt = objectAttempt("copy to", "s3:PutObject", this.#session.bucket, key);
    if (origin === undefined)
      throw new PluginError(`${attempt.action}: the source is in another store`, { kind: "unsupported" });
    const computed = await copyObject({ ...this.#uploadOptions(key), origin, onUploadStarted }, source, call);
    const description = await this.stat(key, call);
    if (description === undefined) throw new PluginError(`${attempt.action}: it is gone again`, { kind: "conflict" });
    if (computed !== undefined && isOtherRecord(describeChecksum(computed), description.checksum))
      await this.#removeCorrupt(key, attempt, call);
    return description;
  }

  async *list(
    query: { readonly prefix: string; readonly delimiter: string | undefined },
    call: Call,
  ): AsyncGenerator<BlobPage> {
    const attempt: Attempt = {
      action: `list "${query.prefix}" in bucket "${this.#session.bucket}"`,
      permission: "s3:ListBucket",
    };
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#session.bucket,
        Prefix: query.prefix,
        // XML cannot hold every character that a key can.
        EncodingType: "url",
        ...(query.delimiter === undefined ? {} : { Delimiter: query.delimiter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.#session.run(
        attempt,
        call,
        async (client, options) => await client.send(command, options),
      );
      const next = nextPageOf(page, attempt);
      const decode = page.EncodingType === "url" ? decodeListed : (text: string) => text;
      yield {
        keys: (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [decode(Key)])),
        commonPrefixes: (page.CommonPrefixes ?? []).flatMap(({ Prefix }) =>
          Prefix === undefined ? [] : [decode(Prefix)],
        ),
      };
      token = next;
    } while (token !== undefined);
  }

  async remove(key: string, call: Call): Promise<void> {
    const attempt = {
      ...objectAttempt("delete", "s3:DeleteObject", this.#session.bucket, key),
      subject: `object "${key}" in bucket "${this.#session.bucket}"`,
    };
    try {
      await this.#session.run(
        attempt,
        call,
        async (client, options) => await client.send(new DeleteObjectCommand(this.#target(key)), options),
      );
    } catch (error) {
      // S3 itself says nothing; some compatible stores say that there is none.
      if (!isKind(error, "not-found")) throw error;
    }
  }

  async sign(key: string, ttlSeconds: number, call: Call): Promise<string> {
    return await this.#options.sign(key, ttlSeconds, call);
  }

  #uploadOptions(key: string): S3UploadOptions {
    const { encryption, tagging } = this.#options;
    return {
      session: this.#session,
      key,
      checksumAlgorithm: this.checksumAlgorithm,
      encryption,
      tagging,
      rejectCorrupt: async (attempt, call) => await this.#removeCorrupt(key, attempt, call),
    };
  }

  #target(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#session.bucket, Key: key };
  }

  #getInput(key: string): GetObjectCommandInput {
    return { ...this.#target(key), ...this.#options.encryption.customerKey };
  }

  #reading(verb: string, key: string): Attempt {
    const attempt = readAttempt(verb, this.#session.bucket, key);
    if (this.#options.encryption.customerKey.SSECustomerKey === undefined) return attempt;
    const advice = `${attempt.deniedAdvice ?? ""}; S3 denies objects of another customerKeyEncryption key in the same words`;
    return { ...attempt, deniedAdvice: advice };
  }

  /** For an answer in chunks, which a proxy before the store may make of any. */
  async #sizeOf(key: string, call: Call): Promise<number> {
    const description = await this.stat(key, call);
    if (description !== undefined) return Number(description.sizeBytes);
    throw new PluginError(`object "${key}" in bucket "${this.#session.bucket}" not found any more`, {
      kind: "not-found",
    });
  }

  async #checksumOf(
    key: string,
    sizeBytes: number,
    answer: GetObjectCommandOutput,
    call: Call,
  ): Promise<StoredChecksum | undefined> {
    const recorded = recordedChecksum(answer, this.#session.isAws);
    if (recorded?.partCount === undefined) return recorded && storedChecksum(recorded, undefined);
    const object = { key, sizeBytes, partCount: recorded.partCount, etag: answer.ETag ?? "" };
    return storedChecksum(recorded, await findPartSizes(this.#session, this.#options.encryption, object, call));
  }

  async #requireBucket(call: Call): Promise<void> {
    const attempt = { action: `look up bucket "${this.#session.bucket}"`, permission: "s3:ListBucket" };
    try {
      await this.#session.run(attempt, call, async (client, options) => {
        await client.send(new HeadBucketCommand({ Bucket: this.#session.bucket }), options);
      });
    } catch (error) {
      const status = error instanceof PluginError ? statusOf(error.cause) : undefined;
      // Denied means that it is there.
      if (status === 403) return;
      if (status !== 404) throw error;
      throw new PluginError(
        `${attempt.action}: the bucket is missing (HTTP 404); create the bucket, or correct its name in the location`,
        { kind: "invalid-config", code: "NoSuchBucket", cause: error },
      );
    }
  }

  async #removeCorrupt(key: string, attempt: Attempt, call: Call): Promise<never> {
    const failure = new PluginError(
      `${attempt.action}: the store recorded another checksum than that of the bytes sent; the object was removed`,
      { kind: "corrupt" },
    );
    try {
      await this.remove(key, call);
    } catch (error) {
      call.log.info("a corrupt object could not be removed", { key, reason: PluginError.from(error).message });
    }
    throw failure;
  }
}
