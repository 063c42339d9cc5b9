import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { findRestic, noRestic } from "../restic/find-restic.ts";
import { Location } from "../wire/location.ts";
import { builtCommand, openPluginWorkspace } from "../wire/workspace.ts";
import type { Session, Workspace } from "../wire/workspace.ts";

const run = promisify(execFile);

/** Whether tests with restic must be skipped; CI's deeper suite installs one and forbids it. */
export const skip: string | false = skipReason();

/** The same for what takes minutes, since each restic takes half a second to make its key of the password. */
export const skipSlow: string | false =
  skip === false && process.env["FLOTILLA_NEEDS_RESTIC"] === undefined
    ? "slow; npm run test:interop -- --targets restic runs it"
    : skip;

/** The name under which the plugin registers. */
const pluginName = "flotilla.io/restic";

/** The executable under test: the built one, or the file that FLOTILLA_RESTIC_PLUGIN_UNDER_TEST names. */
const pluginCommand: string = builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST");

/** A snapshot as restic itself lists it. */
interface Snapshot {
  readonly id: string;
  readonly tags?: readonly string[];
}

/** A repository in a folder, and a plugin process. */
export interface ResticRig extends Workspace {
  readonly restic: string;
  readonly repository: string;
  readonly session: Session;
  /** The keys of a location; `bucket` is its name. */
  configOf(bucket: string, config?: Readonly<Record<string, string>>): Record<string, string>;
  /** Opens a location. */
  open(
    bucket: string,
    options?: { readonly config?: Readonly<Record<string, string>>; readonly session?: Session },
  ): Promise<Location>;
  /** Runs restic itself, and answers what it wrote. */
  byHand(...args: readonly string[]): Promise<string>;
  snapshots(): Promise<readonly Snapshot[]>;
  /** A program that stands in for restic; `text` is a shell script in which $RESTIC is the real one. */
  script(name: string, text: string): Promise<string>;
}

/** How a rig differs from the usual one. */
interface ResticRigOptions {
  /** Whether its repository is made. Default: true. */
  readonly isMade?: boolean;
  /** With the stand-in, which every machine has. Default: with the restic of this one. */
  readonly isStandIn?: boolean;
}

/** Makes a repository, unless told otherwise, and starts a plugin process. */
export async function startResticRig({ isMade = true, isStandIn = false }: ResticRigOptions = {}): Promise<ResticRig> {
  const workspace = await openPluginWorkspace({ command: pluginCommand, name: pluginName, env: {} });
  const restic = isStandIn ? await standIn(workspace.folder) : findRestic();
  if (restic === undefined) throw new Error(noRestic);
  const repository = join(workspace.folder, "repository");
  const passwordFile = join(workspace.folder, "password");
  const cacheFolder = join(workspace.folder, "cache");
  await mkdir(cacheFolder);
  await writeFile(passwordFile, "correct horse battery staple\n");
  const byHand = async (...args: readonly string[]): Promise<string> => {
    const own = ["--repo", repository, "--password-file", passwordFile, "--cache-dir", join(cacheFolder, "by-hand")];
    return (await run(restic, [...args, ...own], { maxBuffer: 64 * 1024 ** 2 })).stdout;
  };
  if (isMade) await byHand("init");
  const session = workspace.start();
  const configOf = (bucket: string, config: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    bucket,
    prefix: "",
    repository,
    passwordFile,
    cacheFolder,
    resticPath: restic,
    ...config,
  });
  return {
    ...workspace,
    restic,
    repository,
    session,
    configOf,
    byHand,
    open: async (bucket, options = {}) => {
      const store = (options.session ?? session).manager.getObjectStore(pluginName);
      await store.init(configOf(bucket, options.config));
      return new Location(store, bucket, () => repository);
    },
    snapshots: async () => {
      // restic's own answer, to look at from beside the plugin.
      return JSON.parse(await byHand("snapshots", "--json")) as readonly Snapshot[];
    },
    script: async (name, text) => {
      const path = join(workspace.folder, name);
      await writeFile(path, `#!/bin/sh\nRESTIC='${restic}'\n${text}\n`);
      await chmod(path, 0o755);
      return path;
    },
  };
}

/** A program of its own, since it is asked for its version without any PATH. */
async function standIn(folder: string): Promise<string> {
  const path = join(folder, "restic");
  const program = join(import.meta.dirname, "../restic/stand-in-main.ts");
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

function skipReason(): string | false {
  if (findRestic() !== undefined) return false;
  if (process.env["FLOTILLA_NEEDS_RESTIC"] !== undefined) throw new Error(noRestic);
  process.stderr.write(`${noRestic}\n`);
  return noRestic;
}
