import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";
import type { CreatedBackup } from "../commands/backup-create.ts";
import { restoreBackup } from "../commands/backup-restore.ts";
import type { RestoredBackup } from "../commands/backup-restore.ts";
import type { OpenedVolumes, Session } from "../session.ts";
import { compareFolder, expectedFiles } from "./expected-files.ts";
import { copiedBackup } from "./lost-region-stage.ts";
import type { LostRegionStage } from "./lost-region-stage.ts";
import { compareMoved } from "./moved-volume.ts";

/** A restore that was compared. */
interface ComparedRestore {
  /** Of the files that had to be the same. */
  readonly bytes: number;
  /** What became of each volume. */
  readonly volumes: readonly string[];
}

/** Restores the objects of the copied backup and compares them with the input. Answers their bytes. */
export async function restoreObjects(
  { from, state }: LostRegionStage,
  session: Session,
  folder: string,
): Promise<number> {
  const to = join(state, folder);
  await restoreBackup(session, await session.openStore(), undefined, { name: copiedBackup, to });
  return await compareFolder(to, await expectedFiles(from));
}

/** The same in the other region, with the volumes: each a new one there, its PersistentVolume the same but for the place. */
export async function restoreWithVolumes(stage: LostRegionStage, created: CreatedBackup): Promise<ComparedRestore> {
  const { elsewhere: session, state, from } = stage;
  const to = join(state, "restored-elsewhere");
  const volumes = await session.openRequiredVolumes();
  const restored = await restoreBackup(session, await session.openStore(), volumes, { name: copiedBackup, to });
  const expected = await expectedFiles(from);
  const ofVolumes = [...expected.keys()].filter((path) => restored.volumes.some((one) => isOf(one, path)));
  const bytes = await compareFolder(to, expected, new Set(ofVolumes));
  const told = await Promise.all(
    ofVolumes.map(async (path) => {
      const [before, after] = [expected.get(path), await readFile(join(to, path))].map(readVolume);
      return await compareVolume(stage, volumes, { restored, created }, { path, before, after });
    }),
  );
  return { bytes, volumes: [...new Set(told)] };
}

async function compareVolume(
  { elsewhere, regions }: LostRegionStage,
  { client }: OpenedVolumes,
  { restored, created }: { readonly restored: RestoredBackup; readonly created: CreatedBackup },
  files: {
    readonly path: string;
    readonly before: PersistentVolume | undefined;
    readonly after: PersistentVolume | undefined;
  },
): Promise<string> {
  const made = restored.volumes.find((one) => isOf(one, files.path));
  const source = created.snapshots.find(({ snapshotId }) => snapshotId === made?.snapshotId);
  const { before, after } = files;
  if (made === undefined || source === undefined || before === undefined || after === undefined)
    throw new PluginError(`${files.path} was not restored from a snapshot of the backup`, { kind: "internal" });
  const changes = compareMoved({ before, after, volumeId: made.volumeId, from: regions.lost, to: regions.other });
  const { volumeType } = await client.getVolumeInfo(
    { volumeId: made.volumeId, volumeAz: zoneOf(after) },
    elsewhere.call,
  );
  if (typeName(volumeType) === typeName(source.volumeType))
    return `${source.volumeId} is ${made.volumeId}, a ${typeName(volumeType)} as before; ${changes.join(", ")}`;
  throw new PluginError(
    `${source.volumeId} was of type ${source.volumeType}, its restored volume is of ${volumeType}`,
    {
      kind: "corrupt",
    },
  );
}

/** Some clouds write a type as a URL, which names the zone as well. */
function typeName(volumeType: string): string {
  return volumeType.slice(volumeType.lastIndexOf("/") + 1);
}

function isOf({ persistentVolume }: RestoredBackup["volumes"][number], path: string): boolean {
  return path.startsWith("resources/persistentvolumes/") && path.endsWith(`/cluster/${persistentVolume}.json`);
}

function readVolume(bytes: Buffer | undefined): PersistentVolume | undefined {
  const volume = bytes === undefined ? undefined : parseJson(bytes.toString("utf8"));
  return isJsonObject(volume) ? volume : undefined;
}
