import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { PluginError } from "@flotilla/sdk/plugin";

import { UsageError } from "./cli-error.ts";

/**
 * A folder that appears whole or not at all: everything is written under a temporary name beside it, and renamed at the
 * end. What is disposed of without a commit leaves nothing behind.
 */
export class AtomicFolder implements AsyncDisposable {
  readonly target: string;
  readonly #temporary: string;
  #isCommitted = false;

  private constructor(target: string) {
    this.target = target;
    this.#temporary = join(dirname(target), `.${basename(target)}.partial-${randomBytes(6).toString("hex")}`);
  }

  /** Begins a folder. One that is there already is never touched. */
  static async begin(target: string): Promise<AtomicFolder> {
    if (await exists(target)) {
      throw new UsageError(`${target} is there already: remove it, or name another folder by --to DIR`);
    }
    const folder = new AtomicFolder(target);
    await explained(target, mkdir(folder.#temporary, { recursive: true }));
    return folder;
  }

  /** Writes one file; the path is relative and safe. */
  async write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const file = join(this.#temporary, path);
    await explained(this.target, mkdir(dirname(file), { recursive: true }));
    // Flushed, so that a disk that is full or broken is an error here and not a hole later.
    const sink = createWriteStream(file, { flags: "wx", flush: true });
    await explained(this.target, pipeline(Readable.from(content, { objectMode: false }), sink));
  }

  /** Makes the folder appear under its name. */
  async commit(): Promise<void> {
    await explained(this.target, rename(this.#temporary, this.target));
    this.#isCommitted = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isCommitted) await rm(this.#temporary, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

async function explained<T>(target: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && "syscall" in error)) throw error;
    const reason =
      error.code === "ENOSPC" || error.code === "EDQUOT"
        ? "the disk is full: free some space and try again"
        : error.message;
    throw new PluginError(`write ${target}: ${reason}; nothing was left behind`, { kind: "internal", cause: error });
  }
}
