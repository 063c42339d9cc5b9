import { resolve } from "node:path";

import { PluginError } from "@flotilla/sdk/plugin";
import type { FileSnapshot, FileSnapshotSelection, RestoreFilesProgress } from "@flotilla/sdk/plugin";
import { Option } from "commander";

import type { Report } from "../context.ts";
import { resolveObjectLocation, resolveVolumeLocation } from "../location.ts";
import type { VolumeLocation } from "../location.ts";
import { formatTable, printable } from "../output/table.ts";
import { formatBytes, formatTime } from "../output/units.ts";
import type { CommonFlags, OpenedVolumes, Session } from "../session.ts";
import { resticProvider, veleroRepositoryLocation } from "../velero-repository.ts";

/** The flags that choose one of the server's own backups of pod volumes. */
export interface FileRestoreFlags extends CommonFlags, FileSnapshotSelection {
  readonly to: string;
}

/** These flags, for the command's help. */
export function fileRestoreOptions(): readonly Option[] {
  return [
    new Option("--to <folder>", "restore files that Velero backed up with restic into this folder, absent or empty"),
    new Option("--backup <name>", "of which of Velero's backups").default("", "any"),
    new Option("--namespace <name>", "of which namespace's pods").default("", "any"),
    new Option("--pod <name>", "of which pod").default("", "any"),
    new Option("--volume <name>", "which of the pod's volumes").default("", "any"),
  ];
}

/** Restores what the server itself wrote with restic: the one snapshot that the flags leave over, or the one of this id. */
export async function restoreFiles(
  session: Session,
  flags: FileRestoreFlags,
  snapshotId: string | undefined,
): Promise<Report> {
  const opened = await session.openVolumesAt(await locationOf(flags));
  const found = await matching(session, opened, flags, snapshotId);
  const [snapshot, another] = found;
  if (snapshot === undefined) throw noneMatches(flags, snapshotId);
  if (another !== undefined) return ambiguous(found);
  return await restoreOne(session, opened, snapshot, resolve(session.context.workingDirectory, flags.to));
}

/**
 * The restic repository that was named, else the one of the namespace beside the backups of the BackupStorageLocation;
 * other keys (resticPath, passwordFile) are given as --volume-config in either case.
 */
async function locationOf(flags: FileRestoreFlags): Promise<VolumeLocation> {
  const named = await resolveVolumeLocation({ ...flags, provider: flags.provider ?? resticProvider });
  if (named?.config["repository"] !== undefined) return { ...named, config: { writtenBy: "velero", ...named.config } };
  const beside = veleroRepositoryLocation(await resolveObjectLocation(flags), flags.namespace);
  return { ...beside, config: { ...beside.config, ...named?.config } };
}

async function matching(
  session: Session,
  { client }: OpenedVolumes,
  { backup, namespace, pod, volume }: FileSnapshotSelection,
  snapshotId: string | undefined,
): Promise<readonly FileSnapshot[]> {
  const found: FileSnapshot[] = [];
  for await (const snapshot of client.listFileSnapshots({ backup, namespace, pod, volume }, session.call))
    if (snapshotId === undefined || snapshot.snapshotId.startsWith(snapshotId)) found.push(snapshot);
  return found;
}

async function restoreOne(
  session: Session,
  { client }: OpenedVolumes,
  snapshot: FileSnapshot,
  folder: string,
): Promise<Report> {
  const { snapshotId, namespace, pod, volume } = snapshot;
  let last: RestoreFilesProgress | undefined;
  for await (const progress of client.restoreFiles({ snapshotId, folder }, session.call)) {
    last = progress;
    session.progress.show(`restoring ${volume} of ${namespace}/${pod}  ${amount(progress)}`);
  }
  if (last?.done !== true) {
    throw new PluginError(`restore ${snapshotId} into ${folder}: the plugin ended without saying that it is complete`, {
      kind: "internal",
    });
  }
  const { files, bytes, loss } = last;
  return {
    json: { ...snapshot, folder, files: Number(files), bytes: Number(bytes), loss },
    text: `${printable(`${volume} of ${namespace}/${pod}`)} as of ${formatTime(snapshot.takenAt)} is in ${folder} (${amount(last)})\n${loss === "" ? "" : `NOT AS IT WAS: ${printable(loss)}\n`}`,
  };
}

function amount({ files, bytes, totalBytes, done }: RestoreFilesProgress): string {
  const total = done || totalBytes === 0n ? "" : ` of ${formatBytes(totalBytes)}`;
  return `${formatBytes(bytes)}${total}, ${files} files`;
}

function noneMatches({ backup, namespace, pod, volume }: FileSnapshotSelection, id: string | undefined): PluginError {
  const wanted = Object.entries({ id: id ?? "", backup, namespace, pod, volume })
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name} ${value}`);
  const what = wanted.length === 0 ? "" : ` with ${wanted.join(", ")}`;
  return new PluginError(
    `the repository holds no snapshot of Velero's${what}: not found; leave flags out to see what there is`,
    { kind: "not-found" },
  );
}

function ambiguous(found: readonly FileSnapshot[]): Report {
  const rows = found.map(({ snapshotId, takenAt, backup, namespace, pod, volume }) => [
    snapshotId.slice(0, 8),
    formatTime(takenAt),
    backup,
    namespace,
    pod,
    volume,
  ]);
  const header = ["snapshot", "taken", "backup", "namespace", "pod", "volume"];
  return {
    json: { error: { kind: "usage", message: `${found.length} snapshots match` }, snapshots: found },
    text: `${found.length} snapshots match; nothing was restored. Name one by its id, or add flags:\n${formatTable(header, rows)}`,
    isFailure: true,
  };
}
