import { GetObjectAttributesCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { objectAttempt } from "./s3-attempts.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import type { S3Session, SendOptions } from "./s3-session.ts";

/** A multipart object whose part sizes are asked for. */
export interface MultipartObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly partCount: number;
  readonly etag: string;
}

const parallelHeads = 8;
const maxHeads = 1000;

/**
 * The sizes of the parts that an object was uploaded in, or undefined where the store does not tell. One HEAD answers it
 * for parts of one size, which is what the official plugin writes; ours grow with the object and are asked for one by
 * one, unless s3:GetObjectAttributes is granted.
 */
export async function findPartSizes(
  session: S3Session,
  encryption: S3Encryption,
  object: MultipartObject,
  call: Call,
): Promise<readonly number[] | undefined> {
  const reader = new PartReader(session, encryption, object, call);
  const first = await reader.head(1);
  if (first === undefined) return undefined;
  const { sizeBytes, partCount } = object;
  const beforeLast = first * (partCount - 1);
  if (beforeLast < sizeBytes && sizeBytes <= first * partCount)
    return [...Array.from({ length: partCount - 1 }, () => first), sizeBytes - beforeLast];
  const sizes = (await reader.attributes()) ?? (await reader.heads());
  const sum = sizes?.reduce((total, size) => total + size, 0);
  return sum === sizeBytes ? sizes : undefined;
}

class PartReader {
  readonly #session: S3Session;
  readonly #encryption: S3Encryption;
  readonly #object: MultipartObject;
  readonly #call: Call;

  constructor(session: S3Session, encryption: S3Encryption, object: MultipartObject, call: Call) {
    this.#session = session;
    this.#encryption = encryption;
    this.#object = object;
    this.#call = call;
  }

  /** The size of one part; undefined where the store ignores the part number. */
  async head(partNumber: number): Promise<number | undefined> {
    const answer = await this.#run("s3:GetObject", async (client, options) => {
      const { etag } = this.#object;
      const version = etag === "" ? {} : { IfMatch: etag };
      return await client.send(
        new HeadObjectCommand({ ...this.#target(), ...version, PartNumber: partNumber }),
        options,
      );
    });
    return answer.PartsCount === this.#object.partCount ? answer.ContentLength : undefined;
  }

  async heads(): Promise<readonly number[] | undefined> {
    if (this.#object.partCount > maxHeads) return undefined;
    const numbers = Array.from({ length: this.#object.partCount }, (_, index) => index + 1);
    const sizes: number[] = [];
    for (let start = 0; start < numbers.length; start += parallelHeads) {
      const batch = await Promise.all(numbers.slice(start, start + parallelHeads).map((number) => this.head(number)));
      if (batch.includes(undefined)) return undefined;
      sizes.push(...batch.filter((size) => size !== undefined));
    }
    return sizes;
  }

  /** Undefined where the store, or the identity's permissions, lack the request. */
  async attributes(): Promise<readonly number[] | undefined> {
    // A compatible store that does not know the request may answer the object itself, however large.
    if (!this.#session.isAws) return undefined;
    const sizes: number[] = [];
    let marker: string | undefined;
    do {
      const page = await this.#attributesPage(marker);
      if (page?.Parts === undefined) return undefined;
      sizes.push(...page.Parts.map((part) => part.Size ?? 0));
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return sizes.length === this.#object.partCount ? sizes : undefined;
  }

  async #attributesPage(marker: string | undefined) {
    try {
      const answer = await this.#run("s3:GetObjectAttributes", async (client, options) => {
        const input = { ...this.#target(), ObjectAttributes: ["ObjectParts" as const] };
        const command = new GetObjectAttributesCommand(
          marker === undefined ? input : { ...input, PartNumberMarker: marker },
        );
        return await client.send(command, options);
      });
      return answer.ObjectParts;
    } catch (error) {
      // Denied, above all: the official policy does not grant it. The sizes can be had part by part.
      this.#call.log.debug("the parts are asked for one by one", { reason: PluginError.from(error).message });
      return undefined;
    }
  }

  #target() {
    return { Bucket: this.#session.bucket, Key: this.#object.key, ...this.#encryption.customerKey };
  }

  async #run<T>(permission: string, operation: (client: S3Client, options: SendOptions) => Promise<T>): Promise<T> {
    const attempt = objectAttempt("read the part sizes of", permission, this.#session.bucket, this.#object.key);
    return await this.#session.run(attempt, this.#call, operation);
  }
}
