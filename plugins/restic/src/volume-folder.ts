import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat, open, readlink, realpath } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";

import { relativeFolder } from "./volume-relative-folder.ts";

/** A folder below the volume root, named as it must not be left: by the root and the way from there. */
export interface FolderPlace {
  /** Absolute; may itself be reached through symbolic links, since the administrator chose it. */
  readonly root: string;
  /** Names joined by slashes, without `.` and `..`; "" for the root itself. */
  readonly folder: string;
}

// Not in Node's constants: opens a folder without the right to list it, which only passing through needs. It is the same
// on all processors that Node is built for.
const openPathOnly = 0o10000000;
const isLinux = process.platform === "linux";

/**
 * A folder held open, so that what was checked is what is used: the path that it answers leads to the very folder that was
 * opened, even when somebody renames it or puts a symbolic link in its place meanwhile.
 */
export class HeldFolder implements AsyncDisposable {
  readonly #handle: FileHandle;
  /** As it is called, for messages. */
  readonly name: string;
  /** Leads to the opened folder for this process and its children. */
  readonly path: string;

  private constructor(handle: FileHandle, name: string) {
    this.#handle = handle;
    this.name = name;
    this.path = isLinux ? `/proc/${process.pid}/fd/${handle.fd}` : name;
  }

  /**
   * Opens a folder below the root. No component below the root may be a symbolic link: one that leads outside would hand
   * out the server's own files, and one that stays inside would give a volume two names.
   */
  static async open(place: FolderPlace): Promise<HeldFolder> {
    requireNames(place);
    const root = await realRoot(place.root);
    const real = join(root, place.folder);
    await refuseLinks(root, place);
    const handle = await openFolder(real, join(place.root, place.folder));
    const held = new HeldFolder(handle, real);
    try {
      await held.requireInPlace();
      return held;
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Throws `conflict` when the opened folder is no longer the one of its name. */
  async requireInPlace(): Promise<void> {
    if (!isLinux) return;
    const now = await readlink(this.path);
    if (now === this.name) return;
    throw new PluginError(
      `open the folder ${this.name}: it was moved or replaced meanwhile (it is ${now} now); find out what changes it and try again`,
      { kind: "conflict" },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * A volume's folder: found below the root, and held open with its parent so that they stay the ones that were checked. A
 * file system gives the number of a folder that is gone, and held by nobody, to the next one that is made.
 */
export class VolumeFolder implements AsyncDisposable {
  readonly parent: HeldFolder;
  /** Its last name. */
  readonly name: string;
  /** As the volume is called in messages: the path below the root as configured. */
  readonly shown: string;
  readonly #found: BigIntStats;
  readonly #handle: FileHandle;

  private constructor(parent: HeldFolder, place: FolderPlace, { handle, found }: OpenedVolume) {
    this.parent = parent;
    this.#handle = handle;
    this.name = basename(place.folder);
    this.shown = join(place.root, place.folder);
    this.#found = found;
  }

  /** Throws `not-found` where there is no such folder, `invalid-argument` where it is a link or no folder. */
  static async open(place: FolderPlace): Promise<VolumeFolder> {
    requireNames(place);
    const parent = await HeldFolder.open({ root: place.root, folder: parentOf(place.folder) });
    try {
      return new VolumeFolder(parent, place, await openVolume(parent, place));
    } catch (error) {
      await parent[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether it is the top of a file system of its own. */
  async isMountPoint(): Promise<boolean> {
    return (await lstat(`${this.parent.path}/.`, { bigint: true })).dev !== this.#found.dev;
  }

  /** Throws `conflict` when the name stands for another folder than at the start. */
  async requireSame(): Promise<void> {
    const now = await lstat(join(this.parent.path, this.name), { bigint: true }).catch(() => undefined);
    if (now?.ino === this.#found.ino && now.dev === this.#found.dev) return;
    throw new PluginError(
      `read the volume ${this.shown}: its folder was replaced, moved or unmounted meanwhile; try again when nothing changes it`,
      { kind: "conflict" },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    await this.parent[Symbol.asyncDispose]();
  }
}

/** The folder above; "" for the root. */
export function parentOf(folder: string): string {
  const parent = dirname(folder);
  return parent === "." ? "" : parent;
}

/** What is joined to the root must not climb out of it, wherever it came from. */
function requireNames({ root, folder }: FolderPlace): void {
  if (folder === "") return;
  let reason = "it is not written as names joined by slashes";
  try {
    if (relativeFolder(folder) === folder) return;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new PluginError(`open a folder below ${root}: ${JSON.stringify(folder)} is refused, for ${reason}`, {
    kind: "invalid-argument",
  });
}

async function realRoot(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    throw new PluginError(
      `open the volume root ${root}: ${codeOf(error)}; mount the volumes there in the server's pod, or change volumeRoot`,
      { kind: "unavailable", cause: error },
    );
  }
}

async function refuseLinks(root: string, place: FolderPlace): Promise<void> {
  let path = root;
  for (const name of place.folder === "" ? [] : place.folder.split("/")) {
    path = join(path, name);
    const stats = await lstat(path).catch((error: unknown) => {
      throw folderError(join(place.root, place.folder), error);
    });
    if (stats.isSymbolicLink()) throw isLink(path);
  }
}

async function openFolder(path: string, shown: string): Promise<FileHandle> {
  const flags = constants.O_DIRECTORY | constants.O_NOFOLLOW | (isLinux ? openPathOnly : constants.O_RDONLY);
  return await open(path, flags).catch((error: unknown) => {
    throw folderError(shown, error);
  });
}

interface OpenedVolume {
  readonly handle: FileHandle;
  readonly found: BigIntStats;
}

async function openVolume(parent: HeldFolder, place: FolderPlace): Promise<OpenedVolume> {
  // Says more of what is no folder than opening it does.
  await requireVolume(parent, place);
  const handle = await openFolder(join(parent.path, basename(place.folder)), join(place.root, place.folder));
  return { handle, found: await handle.stat({ bigint: true }) };
}

async function requireVolume(parent: HeldFolder, place: FolderPlace): Promise<void> {
  const shown = join(place.root, place.folder);
  const path = join(parent.path, basename(place.folder));
  const stats = await lstat(path).catch((error: unknown) => {
    throw folderError(shown, error);
  });
  if (stats.isSymbolicLink()) throw isLink(shown);
  if (stats.isDirectory()) return;
  throw new PluginError(`open the volume ${shown}: it is no folder; only folders can be snapshotted`, {
    kind: "invalid-argument",
  });
}

function isLink(path: string): PluginError {
  return new PluginError(
    `open the volume folder: ${path} is a symbolic link, which could lead out of the volume root; name the real folder in the PersistentVolume or in volumePaths`,
    { kind: "invalid-argument" },
  );
}

/** What the file system answered about a folder, as an error of the contract. */
function folderError(path: string, error: unknown): PluginError {
  const code = codeOf(error);
  const what = `open the volume ${path}`;
  switch (code) {
    case "ENOENT":
      return new PluginError(`${what}: not found; is it mounted in the server's pod, and does volumePaths say where?`, {
        kind: "not-found",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
      return new PluginError(`${what}: access denied (${code}); run the server as a user who may read it`, {
        kind: "denied",
        code,
        cause: error,
      });
    case "ENOTDIR":
    case "ELOOP":
      return new PluginError(`${what}: a part of its path is no folder (${code}); change the PersistentVolume`, {
        kind: "invalid-argument",
        code,
        cause: error,
      });
    default:
      return new PluginError(
        `${what}: the file system answered ${code}; the volume may be busy or its server gone: look at the mount, then try again`,
        { kind: "unavailable", code, cause: error },
      );
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
