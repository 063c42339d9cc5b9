import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

/** How the hidden folders of restores under way begin. */
const hiddenPrefix = ".flotilla-restore-";
const heartbeatMs = 60_000;
/** Many heartbeats: what is older belongs to a process that is gone. */
const abandonedMs = 60 * 60_000;

/**
 * A folder that appears whole or not at all: filled under a hidden name in the same parent, renamed at the end. What is
 * disposed of before leaves nothing; what a killed process leaves is removed by a later restore.
 */
export class NewFolder implements AsyncDisposable {
  /** Leads to the parent. */
  readonly parent: string;
  /** The hidden name, in the parent. */
  readonly hidden: string;
  readonly #heartbeat: NodeJS.Timeout;
  #isCommitted = false;

  private constructor(parent: string, hidden: string) {
    this.parent = parent;
    this.hidden = hidden;
    // Says to other processes that this restore is alive: restic changes what is in it, not the folder itself.
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      utimes(join(parent, hidden), now, now).catch(() => {});
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Begins a folder in this parent. */
  static async begin(parent: string, call: Call): Promise<NewFolder> {
    await removeAbandoned(parent, call);
    const hidden = `${hiddenPrefix}${randomBytes(6).toString("hex")}`;
    await mkdir(join(parent, hidden), { mode: 0o700 });
    return new NewFolder(parent, hidden);
  }

  /** Where it is filled. */
  get path(): string {
    return join(this.parent, this.hidden);
  }

  /**
   * Makes it, or the one folder in it that counts, appear under its name. An empty folder of that name gives way; one with
   * something in it throws `conflict`.
   */
  async commit(name: string, inner = "."): Promise<void> {
    await renameFolder(join(this.path, inner), join(this.parent, name));
    this.#isCommitted = inner === ".";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    if (!this.#isCommitted) await removeTree(this.path);
  }
}

/** Moving a folder writes into it, since it holds the way up: one without that right gets it for the moment. */
async function renameFolder(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY") || hasCode(error, "EEXIST") || hasCode(error, "ENOTDIR")) throw inTheWay(to, error);
    if (!hasCode(error, "EACCES")) throw error;
    const { mode } = await stat(from);
    await chmod(from, mode | 0o700);
    await rename(from, to);
    await chmod(to, mode);
  }
}

function inTheWay(path: string, cause: unknown): PluginError {
  return new PluginError(
    `restore into ${path}: there is something already; name a folder that is absent or empty. Nothing was changed`,
    { kind: "conflict", cause },
  );
}

/** Removes a tree, also one whose folders its owner may not write. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, "EACCES")) throw error;
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
}

/** Housekeeping: what it cannot do must not keep a restore from its work. */
async function removeAbandoned(parent: string, call: Call): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(hiddenPrefix))) {
    const path = join(parent, name);
    try {
      const found = await lstat(path);
      if (!found.isDirectory() || Date.now() - found.mtimeMs < abandonedMs) continue;
      await removeTree(path);
      call.log.info("removed what an interrupted restore left behind", { folder: name });
    } catch (error) {
      call.log.debug("could not remove what an interrupted restore left behind", {
        folder: name,
        reason: String(error),
      });
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
