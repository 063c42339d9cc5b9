import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { VolumeSnapshotterClient } from "@flotilla/host";
import { silentLogger } from "@flotilla/sdk/plugin";
import { CopyRounds } from "@flotilla/sdk/volumes";
import type { CopyStatus } from "@flotilla/sdk/volumes";

import type { Session } from "../wire/workspace.ts";
import { startVolumeRig } from "./volume-rig.ts";
import type { VolumeRig } from "./volume-rig.ts";

const run = promisify(execFile);

/** How a location differs from the usual one. */
interface LocationOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly session?: Session;
}

/** A rig with a second repository, which has a password of its own. */
export interface CopiesRig extends VolumeRig {
  readonly second: string;
  readonly secondPassword: string;
  /** A location whose snapshots are copied to the second repository. */
  openHome(options?: LocationOptions): Promise<VolumeSnapshotterClient>;
  /** A location on the second repository, as another cluster has it. */
  openSecond(options?: LocationOptions): Promise<VolumeSnapshotterClient>;
  /** Runs restic itself on the second repository. */
  inSecond(...args: string[]): Promise<string>;
  /** Throws unless restic finds both repositories sound. Nothing else may be using them. */
  checkBoth(): Promise<void>;
}

const call = { log: silentLogger, signal: new AbortController().signal };

/** Looks once and does what can be done, as `flotilla volume copy --all` does. */
export async function copyRound(home: VolumeSnapshotterClient): Promise<readonly CopyStatus[]> {
  const origins = await Array.fromAsync(home.copies.listOrigins({}));
  return await new CopyRounds(home.copies).run(await home.copies.targets(), origins, call);
}

/** How the copies of these snapshots stand, in the order of their ids. */
export async function copyStates(
  home: VolumeSnapshotterClient,
  region: string,
  originId?: string,
): Promise<readonly (readonly [string, string])[]> {
  const copies = await Array.fromAsync(
    home.copies.listCopies({ region, ...(originId === undefined ? {} : { originId }) }),
  );
  return copies.map(({ originId, state }) => [originId, state] as const).toSorted(([a], [b]) => a.localeCompare(b));
}

/** Starts both; the second repository is not made yet. */
export async function startCopiesRig(): Promise<CopiesRig> {
  const rig = await startVolumeRig();
  const [second, secondPassword] = [join(rig.folder, "second"), join(rig.folder, "second-password")];
  await writeFile(secondPassword, "another horse\n");
  const inSecond = async (...args: string[]): Promise<string> => {
    const flags = [
      "--repo",
      second,
      "--password-file",
      secondPassword,
      "--cache-dir",
      join(rig.folder, "second-cache"),
    ];
    return (await run(rig.restic, [...args, ...flags])).stdout;
  };
  return {
    ...rig,
    second,
    secondPassword,
    inSecond,
    openHome: async ({ config, session } = {}) =>
      await rig.open({
        config: { copyToRepository: second, copyToPasswordFile: secondPassword, initialize: "true", ...config },
        ...(session === undefined ? {} : { session }),
      }),
    openSecond: async ({ config, session } = {}) =>
      await rig.open({
        config: { repository: second, passwordFile: secondPassword, ...config },
        ...(session === undefined ? {} : { session }),
      }),
    checkBoth: async () => {
      await rig.check();
      await inSecond("unlock", "--remove-all");
      await inSecond("check", "--read-data");
    },
  };
}

/** The processes of restic of a rig whose command line or environment holds all of these words. */
export async function resticPids(rig: VolumeRig, ...words: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").join(" ");
    if (line.startsWith(rig.restic) && line.includes(rig.folder) && words.every((word) => line.includes(word)))
      found.push(Number(pid));
  }
  return found;
}
