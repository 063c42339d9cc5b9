import { execFile, spawn } from "node:child_process";
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { VolumeSnapshotterClient } from "@flotilla/host";

import { findRestic, noRestic } from "../restic/find-restic.ts";
import { skip } from "./restic-rig.ts";
import { builtCommand, openPluginWorkspace } from "../wire/workspace.ts";
import type { Session, Workspace } from "../wire/workspace.ts";

const run = promisify(execFile);

/** Given to tests that need restic: skips them, and says why, where there is none. */
export const needsRestic: { readonly skip: string | false } = { skip };

/** How a VolumeSnapshotLocation differs from the usual one. */
interface SnapshotterOptions {
  readonly config?: Readonly<Record<string, string>>;
  /** The plugin process. Default: one of its own. */
  readonly session?: Session;
}

/** A volume root and a repository, in a folder of their own. */
export interface VolumeRig extends Workspace {
  readonly restic: string;
  readonly repository: string;
  readonly passwordFile: string;
  /** Where the volumes are. */
  readonly root: string;
  /** Opens a location on this repository and root. */
  open(options?: SnapshotterOptions): Promise<VolumeSnapshotterClient>;
  /** The config of the usual location. */
  config(more?: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** Makes a volume with these files and answers its id. */
  addVolume(folder: string, files?: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** A program that stands in for restic: shell lines that may call "$RESTIC". Answers its path. */
  standIn(name: string, lines: string): Promise<string>;
  /** Runs restic itself on the repository. */
  runRestic(...args: string[]): Promise<string>;
  /** How many snapshots restic counts. */
  countSnapshots(): Promise<number>;
  /** Throws unless restic finds the repository sound. Nothing else may be using it. */
  check(): Promise<void>;
}

/** Prepares a rig; call it only where there is a restic. */
export async function startVolumeRig(): Promise<VolumeRig> {
  const command = builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST");
  const workspace = await openPluginWorkspace({ command, name: "flotilla.io/restic", env: {} });
  const restic = findRestic();
  if (restic === undefined) throw new Error(noRestic);
  const { folder } = workspace;
  const [root, repository, passwordFile] = ["volumes", "repository", "password"].map((name) => join(folder, name));
  if (root === undefined || repository === undefined || passwordFile === undefined) throw new Error("no paths");
  await mkdir(root);
  await writeFile(passwordFile, "correct horse battery staple\n");
  const flags = ["--repo", repository, "--password-file", passwordFile, "--cache-dir", join(folder, "own-cache")];
  const runRestic = async (...args: string[]): Promise<string> => (await run(restic, [...args, ...flags])).stdout;
  await runRestic("init");
  const config = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    repository,
    passwordFile,
    resticPath: restic,
    volumeRoot: root,
    cacheFolder: join(folder, "cache"),
    ...more,
  });
  return {
    ...workspace,
    restic,
    repository,
    passwordFile,
    root,
    runRestic,
    config,
    open: async ({ config: more, session = workspace.start() } = {}) => {
      const snapshotter = session.manager.getVolumeSnapshotter("flotilla.io/restic");
      await snapshotter.init(config(more));
      return snapshotter;
    },
    addVolume: async (name, files = { "a.txt": "a" }) => await writeVolume(join(root, name), files),
    standIn: async (name, lines) => {
      const path = join(folder, name);
      await writeFile(path, `#!/bin/sh\nRESTIC='${restic}'\n${lines}\n`);
      await chmod(path, 0o755);
      return path;
    },
    countSnapshots: async () => {
      // Versions before 0.17 answer null for none.
      const answer = JSON.parse(await runRestic("snapshots", "--json", "--no-lock")) as unknown[] | null;
      return answer?.length ?? 0;
    },
    check: async () => {
      // Nothing works on it any more; a killed process may stay known for a while, which keeps its lock from being stale.
      await runRestic("unlock", "--remove-all");
      await runRestic("check", "--read-data");
    },
  };
}

async function writeVolume(path: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  await mkdir(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, content);
  }
  return path;
}

/** Everything below a folder, as far as a restore must bring it back: one line for each name. */
export async function treeOf(path: string, name = "."): Promise<readonly string[]> {
  const stats = await lstat(path);
  const owner = `${stats.uid}:${stats.gid} ${(stats.mode & 0o7777).toString(8)} ${Math.floor(stats.mtimeMs)}`;
  if (stats.isSymbolicLink()) return [`${name} -> ${await readlink(path)}`];
  if (!stats.isDirectory()) return [`${name} ${owner} ${stats.isFile() ? await readFile(path, "base64") : "special"}`];
  const below = [];
  for (const entry of (await readdir(path)).sort())
    below.push(...(await treeOf(join(path, entry), `${name}/${entry}`)));
  return [`${name}/ ${owner}`, ...below];
}

/** How a run of the command line ended. */
export interface CommandLineRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs flotilla as a user does. */
export async function flotilla(...args: string[]): Promise<CommandLineRun> {
  const program = join(import.meta.dirname, "../../cli/src/main.ts");
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { exitCode, stdout, stderr };
}
