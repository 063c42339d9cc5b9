import { PluginError } from "@flotilla/sdk/plugin";

import { createBackup } from "../commands/backup-create.ts";
import type { CreatedBackup } from "../commands/backup-create.ts";
import { verifyBackup } from "../commands/backup-verify.ts";
import type { VerifiedBackup } from "../commands/backup-verify.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import type { DemoStage } from "./run-demo.ts";

/** The backup that everything is restored from. */
export const goodBackup = "demo-good";

const snapshotWaitMs = 120_000;

/** Makes a backup with its volumes' snapshots, and verifies it by reading everything back. */
export async function goodBackupSteps(stage: DemoStage): Promise<CreatedBackup> {
  const { session, store, volumes, steps, from } = stage;
  const created = await steps.run(
    "back up, with volumes snapshotted",
    async () => await createBackup(session, store, volumes, { name: goodBackup, from }),
    (backup) => ({
      where: stage.printObject(backup.bucket, contentsOf(backup).key),
      bytes: backup.objects.reduce((sum, { bytes }) => sum + bytes, 0),
      checksum: contentsOf(backup).checksum,
      detail: [
        `${backup.items} resources in ${backup.objects.length} objects`,
        ...backup.snapshots.map(({ volumeId, snapshotId }) => `${volumeId} as ${snapshotId}`),
      ].join(", "),
    }),
  );
  await steps.run(
    "verify it by reading everything back",
    async () => await verifyWhole(session, store, volumes, created),
    ({ objects, snapshots }) => ({
      where: goodBackup,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      detail: `${objects.length} objects and ${snapshots.length} snapshots, each ok`,
    }),
  );
  return created;
}

/** Reads every object of a backup back and asks for its snapshots; throws unless all are there and sound. */
export async function verifyWhole(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes,
  { name, snapshots }: CreatedBackup,
): Promise<VerifiedBackup> {
  const verified = await verifyBackup(session, store, volumes, { name, waitMs: snapshotWaitMs });
  const faults = [...verified.objects, ...verified.snapshots].filter(({ status }) => status !== "ok");
  if (faults.length === 0 && verified.snapshots.length === snapshots.length) return verified;
  throw new PluginError(`the backup is not verified: ${JSON.stringify(faults)}`, { kind: "corrupt" });
}

/** The contents object of a created backup. */
export function contentsOf({ objects }: CreatedBackup): CreatedBackup["objects"][number] {
  const contents = objects.find(({ key }) => key.endsWith(".tar.gz"));
  if (contents !== undefined) return contents;
  throw new PluginError("the backup was stored without its contents", { kind: "internal" });
}
