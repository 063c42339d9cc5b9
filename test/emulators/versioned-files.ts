import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { compareKeys } from "./key-order.ts";

/** What must be known of a version to keep it. */
export interface VersionMeta {
  readonly key: string;
  readonly versionId: string;
  /** Orders the versions; grows with every write. */
  readonly sequence: number;
  readonly isDeleteMarker?: boolean;
}

/** Where versions are kept. */
export interface VersionFolders {
  /** `<sha256 of the key>/{data,meta.json}`: what a plain read returns. */
  readonly current: string;
  /** `<sha256 of the key>/<version>/{data,meta.json}`: older versions and delete markers. */
  readonly versions: string;
}

const replacedName = "replaced";

/**
 * Keys with their versions, on disk, with an index of the keys in memory. A version becomes visible all at once, and what
 * an ended process left half done is put right at the next start.
 */
export class VersionedFiles<Meta extends VersionMeta> {
  readonly #folders: VersionFolders;
  readonly #byKey = new Map<string, Meta[]>();
  #sorted: string[] | undefined;

  constructor(folders: VersionFolders) {
    this.#folders = folders;
    mkdirSync(folders.current, { recursive: true });
    mkdirSync(folders.versions, { recursive: true });
    this.#recover();
    this.#load();
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** Returns the newest version of a key, which may be a delete marker. */
  latest(key: string): Meta | undefined {
    return this.#byKey.get(key)?.[0];
  }

  /** Returns all versions of a key, newest first. */
  versions(key: string): readonly Meta[] {
    return this.#byKey.get(key) ?? [];
  }

  /** Returns all keys that have a version, sorted. */
  keys(): readonly string[] {
    this.#sorted ??= [...this.#byKey.keys()].sort(compareKeys);
    return this.#sorted;
  }

  dataPath(meta: Meta): string {
    return join(this.folderOf(meta), "data");
  }

  /** Returns the folder of a version. */
  folderOf(meta: Meta): string {
    const isCurrent = this.latest(meta.key)?.versionId === meta.versionId && meta.isDeleteMarker !== true;
    return isCurrent ? this.#currentFolder(meta.key) : this.#versionFolder(meta);
  }

  /** Makes a version the newest of its key, all at once; `staged` is the folder that holds its data, undefined for a delete marker. */
  publish(meta: Meta, staged: string | undefined): void {
    const before = this.versions(meta.key);
    const [newest] = before;
    const replaced = before.find((version) => version.versionId === meta.versionId);
    if (staged !== undefined) writeFileSync(join(staged, "meta.json"), JSON.stringify(meta));
    if (replaced !== undefined) this.#setAside(replaced);
    if (newest !== undefined && newest !== replaced) this.#demote(newest);
    if (staged === undefined) this.#writeMarker(meta);
    else renameSync(staged, this.#currentFolder(meta.key));
    this.#index(meta.key, [meta, ...before.filter((version) => version !== replaced)]);
    if (replaced !== undefined) void this.#removeSetAside(meta.key);
  }

  /** Removes one version for good; the next older one becomes the newest. */
  remove(meta: Meta): void {
    const before = this.versions(meta.key);
    const rest = before.filter((version) => version !== meta);
    this.#setAside(meta);
    const [next] = rest;
    if (before[0] === meta && next !== undefined && next.isDeleteMarker !== true) {
      renameSync(this.#versionFolder(next), this.#currentFolder(meta.key));
    }
    this.#index(meta.key, rest);
    void this.#removeSetAside(meta.key);
  }

  /** Replaces what is known of a version, not its data. */
  update(meta: Meta, changes: Partial<Meta>): void {
    const changed: Meta = { ...meta, ...changes };
    writeAtomically(join(this.folderOf(meta), "meta.json"), changed);
    this.#index(
      meta.key,
      this.versions(meta.key).map((version) => (version === meta ? changed : version)),
    );
  }

  /** Removes all files. */
  destroy(): void {
    rmSync(this.#folders.current, { recursive: true, force: true });
    rmSync(this.#folders.versions, { recursive: true, force: true });
  }

  #index(key: string, versions: Meta[]): void {
    if (versions.length === 0) {
      this.#byKey.delete(key);
      this.#sorted = undefined;
      return;
    }
    if (!this.#byKey.has(key)) this.#sorted = undefined;
    this.#byKey.set(key, versions);
  }

  #currentFolder(key: string): string {
    return join(this.#folders.current, hashKey(key));
  }

  #versionFolder(meta: Meta): string {
    return join(this.#folders.versions, hashKey(meta.key), meta.versionId);
  }

  #demote(newest: Meta): void {
    if (newest.isDeleteMarker === true) return;
    mkdirSync(join(this.#folders.versions, hashKey(newest.key)), { recursive: true });
    renameSync(this.#currentFolder(newest.key), this.#versionFolder(newest));
  }

  #writeMarker(meta: Meta): void {
    mkdirSync(this.#versionFolder(meta), { recursive: true });
    writeAtomically(join(this.#versionFolder(meta), "meta.json"), meta);
  }

  // A folder cannot be replaced in one step. The old one waits here until the new one is in place; #recover puts it
  // back when the process ended in between.
  #setAside(meta: Meta): void {
    const from = this.folderOf(meta);
    const parent = join(this.#folders.versions, hashKey(meta.key));
    mkdirSync(parent, { recursive: true });
    rmSync(join(parent, replacedName), { recursive: true, force: true });
    renameSync(from, join(parent, replacedName));
  }

  async #removeSetAside(key: string): Promise<void> {
    const parent = join(this.#folders.versions, hashKey(key));
    const doomed = `${parent}.${process.hrtime.bigint()}`;
    renameSync(join(parent, replacedName), doomed);
    if (readdirSync(parent).length === 0) rmSync(parent, { recursive: true });
    await rm(doomed, { recursive: true, force: true });
  }

  #recover(): void {
    for (const name of readdirSync(this.#folders.versions)) {
      const folder = join(this.#folders.versions, name);
      const aside = join(folder, replacedName);
      const current = join(this.#folders.current, name);
      if (name.includes(".")) rmSync(folder, { recursive: true, force: true });
      else if (existsSync(aside) && !existsSync(current) && readdirSync(folder).length === 1)
        renameSync(aside, current);
      else rmSync(aside, { recursive: true, force: true });
    }
  }

  #read(folder: string): Meta {
    // Written by this class only.
    return JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Meta;
  }

  #load(): void {
    const found: Meta[] = [];
    for (const name of readdirSync(this.#folders.current)) {
      found.push(this.#read(join(this.#folders.current, name)));
    }
    for (const name of readdirSync(this.#folders.versions)) {
      const folder = join(this.#folders.versions, name);
      for (const version of readdirSync(folder)) found.push(this.#read(join(folder, version)));
    }
    for (const meta of found) {
      const others = this.#byKey.get(meta.key) ?? [];
      this.#byKey.set(
        meta.key,
        [...others, meta].sort((a, b) => b.sequence - a.sequence),
      );
    }
  }
}

/** Returns the folder name of a key. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Writes a JSON file so that no reader ever sees half of it. */
export function writeAtomically(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
}
