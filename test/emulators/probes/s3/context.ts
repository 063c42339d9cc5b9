import { randomBytes } from "node:crypto";

import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type {
  BucketLocationConstraint,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3ClientConfig,
} from "@aws-sdk/client-s3";

/** The store that is probed. */
export interface S3Target {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly otherRegion: string;
}

/** What a probe works with: clients, buckets and fresh names. */
export class S3Context {
  readonly target: S3Target;
  readonly client: S3Client;
  readonly #clients: S3Client[] = [];
  readonly #buckets = new Map<string, Promise<string>>();

  constructor(target: S3Target) {
    this.target = target;
    this.client = this.newClient();
  }

  /** Makes a client that differs from the usual one. */
  newClient(changes: S3ClientConfig = {}): S3Client {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.target;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({
      endpoint,
      region,
      credentials,
      forcePathStyle: true,
      // Asked once, so that a failure shows; hence never by a connection that the server may be about to close.
      maxAttempts: 1,
      requestHandler: { httpAgent: { keepAlive: false } },
      ...changes,
    });
    this.#clients.push(client);
    return client;
  }

  /** Returns a key that nobody else uses. */
  key(suffix = ""): string {
    return `probe-${randomBytes(6).toString("hex")}${suffix}`;
  }

  /** Returns the bucket of most probes. */
  async bucket(): Promise<string> {
    return await this.#once("plain", () => this.newBucket());
  }

  async secondBucket(): Promise<string> {
    return await this.#once("second", () => this.newBucket());
  }

  async versionedBucket(): Promise<string> {
    return await this.#once("versioned", async () => {
      const Bucket = await this.newBucket();
      await this.client.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
      );
      return Bucket;
    });
  }

  async lockBucket(): Promise<string> {
    return await this.#once("lock", () => this.newBucket({ isLocked: true }));
  }

  async distantBucket(): Promise<string> {
    return await this.#once("distant", () => this.newBucket({ region: this.target.otherRegion }));
  }

  async newBucket(options: { readonly region?: string; readonly isLocked?: boolean } = {}): Promise<string> {
    const Bucket = `probe-${randomBytes(8).toString("hex")}`;
    const { region = this.target.region } = options;
    const client = region === this.target.region ? this.client : this.newClient({ region });
    // The SDK has a closed list of regions; targets may have others.
    const LocationConstraint = region as BucketLocationConstraint;
    await client.send(
      new CreateBucketCommand({
        Bucket,
        ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint } }),
        ...(options.isLocked === true ? { ObjectLockEnabledForBucket: true } : {}),
      }),
    );
    return Bucket;
  }

  /** Stores an object in the usual bucket. */
  async put(
    input: Omit<PutObjectCommandInput, "Bucket"> & { readonly Bucket?: string },
  ): Promise<PutObjectCommandOutput> {
    return await this.client.send(new PutObjectCommand({ ...input, Bucket: input.Bucket ?? (await this.bucket()) }));
  }

  /** Reads an object of the usual bucket, whole. */
  async get(
    input: Omit<GetObjectCommandInput, "Bucket"> & { readonly Bucket?: string },
  ): Promise<GetObjectCommandOutput & { readonly bytes: Buffer }> {
    const output = await this.client.send(
      new GetObjectCommand({ ...input, Bucket: input.Bucket ?? (await this.bucket()) }),
    );
    return { ...output, bytes: Buffer.from((await output.Body?.transformToByteArray()) ?? []) };
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
  }

  async #once(name: string, make: () => Promise<string>): Promise<string> {
    const made = this.#buckets.get(name) ?? make();
    this.#buckets.set(name, made);
    return await made;
  }
}
