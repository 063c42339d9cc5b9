import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { VersionedFiles, writeAtomically } from "../versioned-files.ts";
import type { ObjectMeta } from "./object-meta.ts";

/** The settings of a bucket. */
export interface BucketConfig {
  readonly name: string;
  readonly projectId: string;
  /** In capitals: US, EU, US-CENTRAL1. */
  readonly location: string;
  readonly storageClass: string;
  readonly isVersioned: boolean;
  /** How long objects are retained, in seconds; 0 for not at all. */
  readonly retentionSeconds: number;
  readonly defaultEventBasedHold: boolean;
  readonly defaultKmsKeyName?: string;
  /** Whether each request must name a project that pays for it. */
  readonly isRequesterPays?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  readonly metageneration: number;
}

/** One bucket: its settings and its objects with their generations. */
export class Bucket {
  readonly objects: VersionedFiles<ObjectMeta>;
  readonly #folder: string;
  #config: BucketConfig;

  constructor(config: BucketConfig, folder: string) {
    this.#config = config;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.objects = new VersionedFiles({ current: join(folder, "objects"), versions: join(folder, "generations") });
  }

  /** Reads the bucket that an earlier run left in a folder; undefined where there is none. */
  static load(folder: string): Bucket | undefined {
    const file = join(folder, "bucket.json");
    if (!existsSync(file)) return undefined;
    // Written by configure() only.
    return new Bucket(JSON.parse(readFileSync(file, "utf8")) as BucketConfig, folder);
  }

  get config(): BucketConfig {
    return this.#config;
  }

  get name(): string {
    return this.#config.name;
  }

  /** Changes settings. */
  configure(changes: Partial<BucketConfig>): void {
    this.#config = { ...this.#config, ...changes };
    writeAtomically(join(this.#folder, "bucket.json"), this.#config);
  }

  /** Returns the live generation of an object. */
  live(name: string): ObjectMeta | undefined {
    const latest = this.objects.latest(name);
    return latest?.isDeleteMarker === true ? undefined : latest;
  }

  /** Returns a generation of an object. */
  generation(name: string, generation: string): ObjectMeta | undefined {
    const found = this.objects.versions(name).find(({ versionId }) => versionId === generation);
    return found?.isDeleteMarker === true ? undefined : found;
  }

  /** Makes a generation the live one, all at once; `folder` holds its data. What it replaces stays only in a bucket with versions. */
  publish(meta: ObjectMeta, folder: string): void {
    const before = this.objects.latest(meta.key);
    if (before !== undefined && before.isDeleteMarker !== true && this.#config.isVersioned) {
      this.objects.update(before, { deleted: meta.created });
    }
    this.objects.publish(meta, folder);
    const replaced = before === undefined ? undefined : this.#versionOf(before);
    if (replaced !== undefined && (replaced.isDeleteMarker === true || !this.#config.isVersioned)) {
      this.objects.remove(replaced);
    }
  }

  /** Ends the life of the live generation: it stays as a noncurrent one only in a bucket with versions. */
  retire(meta: ObjectMeta, marker: ObjectMeta): void {
    if (!this.#config.isVersioned) {
      this.remove(meta);
      return;
    }
    this.objects.update(meta, { deleted: marker.created });
    this.objects.publish(marker, undefined);
  }

  /** Removes a generation for good, with the marker where nothing else is left. An older one never becomes live again. */
  remove(meta: ObjectMeta): void {
    const isLive = this.live(meta.key)?.versionId === meta.versionId;
    const [, next] = this.objects.versions(meta.key);
    if (isLive && next !== undefined && next.isDeleteMarker !== true) {
      const marker = { ...meta, versionId: `${meta.versionId}0`, sequence: meta.sequence + 0.5, isDeleteMarker: true };
      this.objects.publish(marker, undefined);
    }
    const current = this.#versionOf(meta);
    if (current !== undefined) this.objects.remove(current);
    const [left, ...others] = this.objects.versions(meta.key);
    if (left?.isDeleteMarker === true && others.length === 0) this.objects.remove(left);
  }

  /** Removes the bucket's files. */
  destroy(): void {
    const doomed = `${this.#folder}.deleted`;
    rmSync(doomed, { recursive: true, force: true });
    renameSync(this.#folder, doomed);
    rmSync(doomed, { recursive: true, force: true });
  }

  // What was updated is another value than the one that the caller holds.
  #versionOf({ key, versionId }: ObjectMeta): ObjectMeta | undefined {
    return this.objects.versions(key).find((other) => other.versionId === versionId);
  }
}
