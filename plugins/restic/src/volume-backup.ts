import { join } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock, JsonObject } from "@flotilla/sdk/plugin";

import type { Repository } from "./repository.ts";
import type { VolumeFolder } from "./volume-folder.ts";
import { nestedMounts } from "./volume-nested-mounts.ts";
import { host, writeMark } from "./volume-mark.ts";
import { readError, readStatus, readSummary } from "./volume-messages.ts";
import type { BackupSummary } from "./volume-messages.ts";
import { ProgressWatch } from "./volume-progress.ts";
import { forget, listSnapshots } from "./volume-snapshots.ts";
import { printCompletionTags, printVolumeTags, readCompletionTags, readVolumeTags } from "./volume-tags.ts";
import type { VolumeTags } from "./volume-tags.ts";
import { UnreadFiles } from "./volume-unread.ts";

/** What to back up. */
export interface VolumeBackup extends Omit<VolumeTags, "isMountPoint"> {
  readonly exclude: readonly string[];
  readonly clock: Clock;
}

/**
 * Backs a volume up in two steps: its files, then a mark that they are complete, without which the snapshot does not
 * count. The mark is a small snapshot of its own, because changing a tag would need the repository for itself alone,
 * and wait for every other backup of it.
 */
export async function backUpVolume(
  repository: Repository,
  volume: VolumeFolder,
  backup: VolumeBackup,
  call: Call,
): Promise<BackupSummary> {
  const action = `snapshot the volume ${volume.shown}`;
  using watch = new ProgressWatch({ action, clock: backup.clock }, call);
  const isMountPoint = await volume.isMountPoint();
  const { summary, unread } = await runBackup(repository, volume, { ...backup, isMountPoint }, action, watch);
  try {
    await volume.requireSame();
    unread.requireWhole(action, call);
    const tags = printCompletionTags({ snapshotId: backup.snapshotId, bytes: summary.bytes });
    await writeMark(repository, { action: `${action}: mark it as complete`, tags }, watch.call);
    if (summary.files === 0n) await tellOfEmptiness(repository, volume, backup.folder, call);
    await tellOfMounts(volume, call);
  } catch (error) {
    await forgetQuietly(repository, summary.snapshotId, call);
    throw error;
  }
  return summary;
}

/** A folder on which nothing is mounted any more looks like a volume without a file. */
async function tellOfEmptiness(
  repository: Repository,
  volume: VolumeFolder,
  folder: string,
  call: Call,
): Promise<void> {
  const { snapshots } = await listSnapshots(repository, call).catch(() => ({ snapshots: [] }));
  const former = snapshots.flatMap(({ tags }) => {
    const found = readVolumeTags(tags);
    return found?.folder === folder ? [found.snapshotId] : [];
  });
  const isFilled = snapshots.some(({ tags }) => {
    const mark = readCompletionTags(tags);
    return mark !== undefined && mark.bytes > 0n && former.includes(mark.snapshotId);
  });
  if (!isFilled) return;
  const text = `snapshotted the volume ${volume.shown}, in which there is no file, while there were some at a former snapshot: is it mounted in the server's pod and on its node?`;
  call.log.warn(text);
}

/** What is mounted in the volume is an empty folder in the snapshot. */
async function tellOfMounts(volume: VolumeFolder, call: Call): Promise<void> {
  const mounts = await nestedMounts(join(volume.parent.name, volume.name));
  if (mounts.length === 0) return;
  const shown = mounts.slice(0, shownMounts).join(", ");
  const more = mounts.length > shownMounts ? ` and ${mounts.length - shownMounts} more` : "";
  const text = `snapshotted the volume ${volume.shown} without the other file systems that are mounted in it: ${shown}${more}; what is there needs volumes of its own`;
  call.log.warn(text);
}

const shownMounts = 3;

async function runBackup(
  repository: Repository,
  volume: VolumeFolder,
  backup: VolumeBackup & VolumeTags,
  action: string,
  watch: ProgressWatch,
): Promise<{ readonly summary: BackupSummary; readonly unread: UnreadFiles }> {
  const unread = new UnreadFiles();
  let summary: BackupSummary | undefined;
  const hear = (message: JsonObject): void => {
    const status = readStatus(message);
    if (status !== undefined) watch.hear(status);
    summary = readSummary(message) ?? summary;
    const error = readError(message);
    if (error !== undefined) unread.add(error);
  };
  const request = {
    action,
    args: backupArguments(volume.name, backup),
    lock: "append",
    workingFolder: volume.parent.path,
    onMessage: hear,
    // Files that could not be read: which ones, its messages tell.
    acceptedCodes: [3],
  } as const;
  const { end } = await repository.run(request, watch.call);
  if (summary === undefined) throw repository.errorOf({ action }, end);
  if (end.code !== 0 && unread.isEmpty) {
    await forgetQuietly(repository, summary.snapshotId, watch.call);
    throw repository.errorOf({ action }, end);
  }
  return { summary, unread };
}

/** Relative to the parent of the volume, so that the snapshot holds the volume's own folder and no path of the server. */
function backupArguments(name: string, backup: VolumeBackup & VolumeTags): readonly string[] {
  return [
    "backup",
    "--json",
    "--host",
    host,
    "--one-file-system",
    ...printVolumeTags(backup).flatMap((tag) => ["--tag", tag]),
    ...backup.exclude.flatMap((pattern) => ["--exclude", pattern]),
    `./${name}`,
  ];
}

/** What does not count need not be kept, either; where that fails, a later deletion of any snapshot removes it. */
async function forgetQuietly(repository: Repository, id: string, call: Call): Promise<void> {
  try {
    // Not the call's own signal: after an interruption is exactly when there is something to clean up.
    const signal = AbortSignal.timeout(forgetPatienceMs);
    await forget(repository, [id], { log: call.log, signal });
  } catch (error) {
    call.log.info("an incomplete snapshot is left in the repository; it does not count", {
      resticSnapshot: id,
      reason: PluginError.from(error).message,
    });
  }
}

const forgetPatienceMs = 60_000;
