import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";
import type { CreatedBackup } from "../commands/backup-create.ts";
import { downloadBackup } from "../commands/backup-download.ts";
import { restoreBackup } from "../commands/backup-restore.ts";
import type { RestoredBackup } from "../commands/backup-restore.ts";
import { compareFolder, expectedFiles } from "./expected-files.ts";
import { contentsOf, goodBackup } from "./good-backup-steps.ts";
import type { DemoStage } from "./run-demo.ts";

/** Restores the good backup and compares it with the input, byte by byte; then restores its volumes. */
export async function restoreSteps(stage: DemoStage, good: CreatedBackup): Promise<void> {
  const { session, store, volumes, steps, state, from } = stage;
  const downloaded = join(state, "downloaded");
  await steps.run(
    "download the good backup",
    async () => {
      await downloadBackup(session, store, { name: goodBackup, to: downloaded });
      return await compareContents(join(downloaded, `${goodBackup}.tar.gz`), good);
    },
    (bytes) => ({ where: downloaded, bytes, checksum: `sha256 ${contentsOf(good).sha256.slice(0, 16)}…` }),
  );
  const restored = join(state, "restored");
  await steps.run(
    "restore it and compare byte by byte",
    async () => {
      const { files } = await restoreBackup(session, store, undefined, { name: goodBackup, to: restored });
      return { files, bytes: await compareFolder(restored, await expectedFiles(from)) };
    },
    ({ files, bytes }) => ({ where: restored, bytes, detail: `${files} files, each equal to the input` }),
  );
  const withVolumes = join(state, "restored-with-volumes");
  await steps.run(
    "restore the volumes from their snapshots",
    async () => {
      const result = await restoreBackup(session, store, volumes, { name: goodBackup, to: withVolumes });
      await checkVolumes(stage, good, result);
      return result;
    },
    (result) => ({
      where: withVolumes,
      bytes: result.bytes,
      detail: result.volumes.map(({ snapshotId, volumeId }) => `${snapshotId} as ${volumeId}`).join(", "),
    }),
  );
}

async function compareContents(file: string, good: CreatedBackup): Promise<number> {
  const bytes = await readFile(file);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === contentsOf(good).sha256) return bytes.length;
  throw new PluginError(`${file} has the SHA-256 ${found} instead of the one that was stored`, { kind: "corrupt" });
}

/** Each snapshot must have become a new volume of the same type, and the restored PersistentVolume must point at it. */
async function checkVolumes(stage: DemoStage, good: CreatedBackup, restored: RestoredBackup): Promise<void> {
  const { session, volumes } = stage;
  if (restored.volumes.length !== good.snapshots.length) {
    throw new PluginError(`${good.snapshots.length} snapshots became ${restored.volumes.length} volumes`, {
      kind: "internal",
    });
  }
  for (const { persistentVolume, volumeId } of restored.volumes) {
    const original = good.snapshots.find((snapshot) => snapshot.persistentVolume === persistentVolume);
    const file = join(restored.folder, "resources", "persistentvolumes", "cluster", `${persistentVolume}.json`);
    const object = parseJson(await readFile(file, "utf8"));
    const pointsAt = isJsonObject(object) ? await volumes.client.getVolumeId(object, session.call) : "";
    // Some clouds know a volume by its name within its zone only.
    const volumeAz = isJsonObject(object) ? zoneOf(object) : "";
    const [made, source] = await Promise.all(
      [volumeId, original?.volumeId ?? ""].map((id) =>
        volumes.client.getVolumeInfo({ volumeId: id, volumeAz }, session.call),
      ),
    );
    const isRight = pointsAt === volumeId && volumeId !== original?.volumeId && made?.volumeType === source?.volumeType;
    if (isRight) continue;
    throw new PluginError(`${persistentVolume} was restored as ${volumeId}, but points at ${pointsAt || "nothing"}`, {
      kind: "internal",
    });
  }
}
