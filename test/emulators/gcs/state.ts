import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { hashKey } from "../versioned-files.ts";
import { Bucket } from "./bucket.ts";
import type { BucketConfig } from "./bucket.ts";
import { GcsError, noSuchBucket } from "./gcs-error.ts";
import type { Rewrite } from "./rewrite-token.ts";
import { UploadSessions } from "./upload-sessions.ts";

const rootName = "gcs";

/** Returns the file that holds an object's bytes, for tests that change them below the server. */
export function objectFile(stateDir: string, bucket: string, name: string): string {
  return join(stateDir, rootName, "buckets", bucket, "objects", hashKey(name), "data");
}

/** Everything that one stand-in keeps, below one folder. */
export class GcsState {
  readonly sessions: UploadSessions;
  /** Rewrites that go on in a later request, by their token. */
  readonly rewrites = new Map<string, Rewrite>();
  /** The keys of Cloud KMS that exist and may be used. */
  readonly kmsKeys: Set<string>;
  readonly #buckets = new Map<string, Bucket>();
  readonly #root: string;
  #generation = 0;

  constructor(stateDir: string, kmsKeys: Iterable<string> = []) {
    this.#root = join(stateDir, rootName);
    this.kmsKeys = new Set(kmsKeys);
    rmSync(this.#staging, { recursive: true, force: true });
    mkdirSync(this.#staging, { recursive: true });
    mkdirSync(this.#bucketsFolder, { recursive: true });
    this.sessions = new UploadSessions(join(this.#root, "uploads"));
    for (const name of readdirSync(this.#bucketsFolder)) {
      const bucket = name.endsWith(".deleted") ? undefined : Bucket.load(join(this.#bucketsFolder, name));
      if (bucket !== undefined) this.#buckets.set(name, bucket);
    }
  }

  /** Returns a bucket; throws the error of one that does not exist. */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }

  buckets(): readonly Bucket[] {
    return [...this.#buckets.values()];
  }

  hasBucket(name: string): boolean {
    return this.#buckets.has(name);
  }

  createBucket(config: BucketConfig): Bucket {
    if (this.hasBucket(config.name)) {
      throw new GcsError(
        409,
        "conflict",
        "Your previous request to create the named bucket succeeded and you already own it.",
      );
    }
    const bucket = new Bucket(config, join(this.#bucketsFolder, config.name));
    bucket.configure({});
    this.#buckets.set(config.name, bucket);
    return bucket;
  }

  deleteBucket(bucket: Bucket): void {
    this.#buckets.delete(bucket.name);
    bucket.destroy();
  }

  /** Returns a generation above all that were given out before, also by earlier runs: microseconds, as the service has them. */
  nextGeneration(): number {
    this.#generation = Math.max(this.#generation + 1, Date.now() * 1000);
    return this.#generation;
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

  get #staging(): string {
    return join(this.#root, "staging");
  }

  get #bucketsFolder(): string {
    return join(this.#root, "buckets");
  }
}
