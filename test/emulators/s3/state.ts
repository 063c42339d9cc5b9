import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { Bucket } from "./bucket.ts";
import type { BucketConfig, BucketFolders } from "./bucket.ts";
import { S3Error } from "./s3-error.ts";
import { Uploads } from "./uploads.ts";

/** The keys of KMS as far as S3 can tell: which do not exist, which refuse. Every other key id is good. */
export interface KmsRules {
  readonly missing?: readonly string[];
  readonly denied?: readonly string[];
}

/** How a lost region fails: 503 for every request, no answer at all, or closed connections. */
export type RegionLoss = "refuse" | "hang" | "close";

/** What the operations need to know of the stand-in's settings. */
export interface S3Settings {
  readonly regions: readonly string[];
  readonly kms: KmsRules;
  readonly allowSseCustomerOverHttp: boolean;
  readonly keepsChecksums: boolean;
}

/** All buckets and uploads of one stand-in, kept below one folder. */
export class S3State {
  readonly settings: S3Settings;
  readonly uploads: Uploads;
  readonly #root: string;
  readonly #buckets = new Map<string, Bucket>();
  readonly #lost = new Map<string, RegionLoss>();
  #sequence = 0;

  constructor(stateDir: string, settings: S3Settings) {
    this.#root = stateDir;
    this.settings = settings;
    rmSync(this.#staging, { recursive: true, force: true });
    for (const folder of ["s3", "s3.versions", "s3.buckets", "s3.uploads"]) {
      mkdirSync(join(stateDir, folder), { recursive: true });
    }
    mkdirSync(this.#staging);
    for (const file of readdirSync(join(stateDir, "s3.buckets"))) {
      if (!file.endsWith(".json")) continue;
      // Written by Bucket.saveConfig only.
      const config = JSON.parse(readFileSync(join(stateDir, "s3.buckets", file), "utf8")) as BucketConfig;
      this.#buckets.set(config.name, new Bucket(config, this.#foldersOf(config.name)));
    }
    this.uploads = new Uploads(join(stateDir, "s3.uploads"));
  }

  get #staging(): string {
    return join(this.#root, "s3.staging");
  }

  /** Returns a bucket; throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error("NoSuchBucket", undefined, { details: { BucketName: name } });
  }

  findBucket(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  buckets(): readonly Bucket[] {
    return [...this.#buckets.values()];
  }

  createBucket(config: BucketConfig): Bucket {
    const bucket = new Bucket(config, this.#foldersOf(config.name));
    bucket.saveConfig();
    this.#buckets.set(config.name, bucket);
    return bucket;
  }

  deleteBucket(bucket: Bucket): void {
    this.#buckets.delete(bucket.config.name);
    bucket.destroy();
  }

  /** Loses a region with all its buckets, or brings it back. */
  setRegion(region: string, loss: RegionLoss | undefined): void {
    if (loss === undefined) this.#lost.delete(region);
    else this.#lost.set(region, loss);
  }

  /** How the region of a bucket is lost; undefined where it is not, and where there is no such bucket. */
  lossOf(bucketName: string | undefined): RegionLoss | undefined {
    const bucket = bucketName === undefined ? undefined : this.#buckets.get(bucketName);
    return bucket === undefined ? undefined : this.#lost.get(bucket.config.region);
  }

  /** For what a request needs beside the bucket that it addresses: a region that cannot be reached fails it. */
  requireReachable(region: string): void {
    if (this.#lost.has(region)) throw new S3Error("ServiceUnavailable");
  }

  /** Returns a number above all that were given out before, also by earlier runs. */
  nextSequence(): number {
    this.#sequence = Math.max(this.#sequence + 1, Date.now() * 1000);
    return this.#sequence;
  }

  /** Makes a folder for data that is not visible yet, hands it to `use`, and removes what is left of it. */
  async withStaging<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.#staging, randomUUID());
    mkdirSync(folder);
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #foldersOf(name: string): BucketFolders {
    return {
      current: join(this.#root, "s3", name),
      versions: join(this.#root, "s3.versions", name),
      configFile: join(this.#root, "s3.buckets", `${name}.json`),
    };
  }
}
