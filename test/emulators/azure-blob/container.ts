import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { compareKeys } from "../key-order.ts";
import { hashKey, VersionedFiles, writeAtomically } from "../versioned-files.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { StagedBlocks } from "./staged-blocks.ts";

/** The settings of a container. */
export interface ContainerConfig {
  readonly name: string;
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether versions may be protected by immutability policies and legal holds. */
  readonly isImmutable: boolean;
  readonly defaultScope?: string | undefined;
  readonly deniesOtherScopes?: boolean | undefined;
}

/** One container: its settings, its blobs with their versions and snapshots, and the blocks that wait for a list. */
export class Container {
  readonly config: ContainerConfig;
  readonly blobs: VersionedFiles<BlobMeta>;
  /** Snapshots by the name of their blob; the version id of each is its time. */
  readonly snapshots: VersionedFiles<BlobMeta>;
  readonly #folder: string;
  readonly #staged = new Map<string, StagedBlocks>();

  constructor(config: ContainerConfig, folder: string) {
    this.config = config;
    this.#folder = folder;
    this.blobs = new VersionedFiles({ current: join(folder, "blobs"), versions: join(folder, "versions") });
    this.snapshots = new VersionedFiles({
      current: join(folder, "snapshots"),
      versions: join(folder, "snapshots.older"),
    });
    mkdirSync(this.#blocksFolder, { recursive: true });
    for (const name of readdirSync(this.#blocksFolder)) {
      const path = join(this.#blocksFolder, name);
      if (!existsSync(join(path, "blob.json"))) continue;
      const staged = StagedBlocks.load(path);
      this.#staged.set(staged.name, staged);
    }
  }

  /** Reads the container that an earlier run left in a folder. */
  static load(folder: string): Container {
    // Written by save() only.
    const config = JSON.parse(readFileSync(join(folder, "container.json"), "utf8")) as ContainerConfig;
    return new Container(config, folder);
  }

  get #blocksFolder(): string {
    return join(this.#folder, "blocks");
  }

  save(): void {
    writeAtomically(join(this.#folder, "container.json"), this.config);
  }

  /** Returns the blob that a plain read returns. */
  current(name: string): BlobMeta | undefined {
    const latest = this.blobs.latest(name);
    return latest?.isDeleteMarker === true ? undefined : latest;
  }

  /** Returns the blocks of a blob that wait for a list. */
  staged(name: string, now: Date): StagedBlocks {
    const known = this.#staged.get(name);
    if (known?.hasExpired(now) === true) known.clear();
    const staged = known ?? new StagedBlocks(name, join(this.#blocksFolder, hashKey(name)));
    this.#staged.set(name, staged);
    return staged;
  }

  /** Forgets the blocks of a blob. */
  clearStaged(name: string): void {
    const known = this.#staged.get(name);
    known?.clear();
    if (known?.isIdle === true) this.#staged.delete(name);
  }

  /** Returns the names of blobs that have blocks and were never committed. */
  uncommittedNames(now: Date): readonly string[] {
    const waiting = [...this.#staged.values()].filter((staged) => !staged.isEmpty && !staged.hasExpired(now));
    return waiting.map(({ name }) => name).filter((name) => this.current(name) === undefined);
  }

  /** Returns all names with a version, a snapshot or blocks, sorted. */
  names(): readonly string[] {
    const staged = [...this.#staged.values()].filter((one) => !one.isEmpty).map(({ name }) => name);
    if (staged.length === 0 && this.snapshots.isEmpty) return this.blobs.keys();
    return [...new Set([...this.blobs.keys(), ...this.snapshots.keys(), ...staged])].sort(compareKeys);
  }

  /** Makes a blob the current one, all at once; `folder` holds its data. */
  publish(meta: BlobMeta, folder: string): void {
    const before = this.blobs.latest(meta.key);
    this.blobs.publish(meta, folder);
    // The marker only kept the place of a current version.
    if (before?.isDeleteMarker === true) this.blobs.remove(before);
  }

  /** Removes one version for good, with the marker where nothing else is left. */
  remove(meta: BlobMeta): void {
    this.blobs.remove(meta);
    const [left, ...others] = this.blobs.versions(meta.key);
    if (left?.isDeleteMarker === true && others.length === 0) this.blobs.remove(left);
  }

  /** Removes the container's files. */
  destroy(): void {
    const doomed = `${this.#folder}.deleted`;
    rmSync(doomed, { recursive: true, force: true });
    renameSync(this.#folder, doomed);
    rmSync(doomed, { recursive: true, force: true });
  }
}
