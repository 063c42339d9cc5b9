import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";

import type { FileSlice } from "../file-slice.ts";
import { hashKey, writeAtomically } from "../versioned-files.ts";
import type { BlobEncryption } from "./blob-meta.ts";

/** A block that was uploaded and waits for a block list. */
export interface StagedBlock {
  readonly id: string;
  readonly size: number;
  readonly encryption: BlobEncryption;
  readonly file: string;
  readonly offset: number;
}

/** Where a block that is under way is written. */
export interface BlockPlace {
  readonly file: string;
  readonly path: string;
  readonly offset: number;
}

// Azure forgets them a week after the last one came.
const lifetimeMs = 7 * 24 * 3_600_000;

/**
 * The uncommitted blocks of one blob. They are written behind each other into one file in the order in which their
 * uploads begin; a block list that names them in that order gets the file without a copy.
 */
export class StagedBlocks {
  readonly name: string;
  readonly #folder: string;
  readonly #byId = new Map<string, StagedBlock>();
  #file = newFileName();
  #end = 0;
  #writers = 0;
  #lastPut = 0;

  constructor(name: string, folder: string) {
    this.name = name;
    this.#folder = folder;
  }

  /** Reads the blocks that an earlier run left. */
  static load(folder: string): StagedBlocks {
    // All files in this folder are written by this class only.
    const { name, lastPut } = JSON.parse(readFileSync(join(folder, "blob.json"), "utf8")) as {
      name: string;
      lastPut: number;
    };
    const staged = new StagedBlocks(name, folder);
    staged.#lastPut = lastPut;
    for (const file of readdirSync(folder)) {
      if (!/^block-[\da-f]+\.json$/.test(file)) continue;
      const block = JSON.parse(readFileSync(join(folder, file), "utf8")) as StagedBlock;
      staged.#byId.set(block.id, block);
    }
    return staged;
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  get count(): number {
    return this.#byId.size;
  }

  /** The blocks in the order of their first upload. */
  blocks(): readonly StagedBlock[] {
    return [...this.#byId.values()];
  }

  find(id: string): StagedBlock | undefined {
    return this.#byId.get(id);
  }

  hasExpired(now: Date): boolean {
    return this.#byId.size > 0 && now.getTime() - this.#lastPut > lifetimeMs;
  }

  /** Reserves room for a block; `keep` or `giveUp` must follow. */
  reserve(size: number): BlockPlace {
    mkdirSync(this.#folder, { recursive: true });
    this.#writers += 1;
    const offset = this.#end;
    this.#end += size;
    return { file: this.#file, path: join(this.#folder, this.#file), offset };
  }

  /** Makes a block count, in place of an earlier one of the same id. */
  keep(block: StagedBlock, now: Date): void {
    this.#writers -= 1;
    this.#lastPut = now.getTime();
    writeAtomically(join(this.#folder, "blob.json"), { name: this.name, lastPut: this.#lastPut });
    writeAtomically(this.#recordPath(block.id), block);
    this.#byId.set(block.id, block);
  }

  giveUp(): void {
    this.#writers -= 1;
  }

  slice(block: StagedBlock): FileSlice {
    return { path: join(this.#folder, block.file), start: block.offset, length: block.size };
  }

  /** Moves blocks to their destination when they already lie behind each other and nobody writes any more. */
  moveTo(blocks: readonly StagedBlock[], destination: string): boolean {
    const [first] = blocks;
    if (first === undefined || this.#writers > 0) return false;
    let end = 0;
    for (const block of blocks) {
      if (block.file !== first.file || block.offset !== end) return false;
      end += block.size;
    }
    const path = join(this.#folder, first.file);
    truncateSync(path, end);
    renameSync(path, destination);
    return true;
  }

  /** Tells whether nothing waits and nobody writes. */
  get isIdle(): boolean {
    return this.isEmpty && this.#writers === 0;
  }

  /** Forgets all blocks, at once. A block that is still on its way counts when it has arrived. */
  clear(): void {
    this.#byId.clear();
    if (this.#writers === 0) {
      rmSync(this.#folder, { recursive: true, force: true });
    } else {
      for (const name of readdirSync(this.#folder)) {
        if (name.startsWith("block-") || (name.startsWith("data-") && name !== this.#file)) {
          rmSync(join(this.#folder, name));
        }
      }
    }
    this.#file = newFileName();
    this.#end = 0;
  }

  #recordPath(id: string): string {
    return join(this.#folder, `block-${hashKey(id)}.json`);
  }
}

function newFileName(): string {
  return `data-${randomBytes(6).toString("hex")}`;
}
