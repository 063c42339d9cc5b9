import { lstat, opendir, readdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, FileSnapshot, FileSnapshotSelection, RestoreFilesProgress } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import { veleroSnapshots } from "./velero-repository.ts";
import { LatestValue } from "./volume-latest-value.ts";
import { NewFolder } from "./volume-new-folder.ts";
import { explained, restoreInto } from "./volume-restore.ts";
import { listSnapshots } from "./volume-snapshots.ts";

/** The snapshots of Velero's that match, newest first. */
export async function* listVeleroSnapshots(
  repository: Repository,
  selection: FileSnapshotSelection,
  call: Call,
): AsyncGenerator<FileSnapshot, void, undefined> {
  const { snapshots, isWhole } = await listSnapshots(repository, call);
  if (!isWhole) call.log.warn("some snapshots of the repository cannot be read; run restic check on it");
  yield* veleroSnapshots(snapshots, selection);
}

/** What to restore, and where. */
export interface FilesRestore {
  readonly snapshotId: string;
  readonly folder: string;
  readonly clock: Clock;
}

/** Restores one of Velero's snapshots into a folder that is absent or empty; answers how far it is. */
export async function* restoreVeleroSnapshot(
  repository: Repository,
  { snapshotId, folder, clock }: FilesRestore,
  call: Call,
): AsyncGenerator<RestoreFilesProgress, void, undefined> {
  const action = `restore the snapshot ${snapshotId.slice(0, 8)} into ${folder}`;
  await requireVacant(action, folder);
  await requireSnapshot(repository, snapshotId, call);
  await using fresh = await explained(action, NewFolder.begin(dirname(folder), call));
  const news = new LatestValue<RestoreFilesProgress>();
  const work = restoreInto(
    repository,
    {
      action,
      snapshotId,
      folder: fresh,
      clock,
      onStatus: ({ files, bytes, totalBytes }) => news.set({ files, bytes, totalBytes, done: false, loss: "" }),
    },
    call,
  ).finally(() => news.end());
  work.catch(() => {});
  let last: RestoreFilesProgress | undefined;
  for await (const progress of news.values()) yield (last = progress);
  const loss = await work;
  await explained(action, fresh.commit(basename(folder)));
  const { files, bytes } = last ?? (await amountOf(folder));
  yield { files, bytes, totalBytes: bytes, done: true, loss };
}

async function requireVacant(action: string, folder: string): Promise<void> {
  if (!isAbsolute(folder)) throw new PluginError(`${action}: name the folder absolutely`, { kind: "invalid-argument" });
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (found.isDirectory() && (await explained(action, readdir(folder))).length === 0) return;
  throw new PluginError(`${action}: there is something already; name a folder that is absent or empty`, {
    kind: "conflict",
  });
}

/** An id of restic's own finds any snapshot; only those of Velero's are meant. */
async function requireSnapshot(repository: Repository, snapshotId: string, call: Call): Promise<void> {
  const { snapshots, isWhole } = await listSnapshots(repository, call);
  const all = veleroSnapshots(snapshots, { backup: "", namespace: "", pod: "", volume: "" });
  if (all.some((snapshot) => snapshot.snapshotId === snapshotId)) return;
  throw new PluginError(
    `snapshot ${snapshotId} of Velero's in repository ${repository.location.shown}: ${isWhole ? "not found" : "not among those that can be read; run restic check"}`,
    { kind: isWhole ? "not-found" : "corrupt" },
  );
}

/** Versions before 0.16 do not tell how much they restored. */
async function amountOf(folder: string): Promise<{ readonly files: bigint; readonly bytes: bigint }> {
  let [files, bytes] = [0n, 0n];
  for await (const entry of await opendir(folder, { recursive: true })) {
    files += 1n;
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name), { bigint: true })).size;
  }
  return { files, bytes };
}
