import { PluginError } from "@flotilla/sdk/plugin";

import { createBackup } from "../commands/backup-create.ts";
import type { CreatedBackup } from "../commands/backup-create.ts";
import { copySnapshots } from "../commands/volume-copy.ts";
import type { OpenedVolumes, Session } from "../session.ts";
import { contentsOf, verifyWhole } from "./good-backup-steps.ts";
import { loseRegion } from "./lose-region.ts";
import { copiedBackup } from "./lost-region-stage.ts";
import type { LostRegionStage } from "./lost-region-stage.ts";
import { restoreObjects, restoreWithVolumes } from "./restore-elsewhere.ts";

const lookIntervalMs = 500;
const copyTimeoutMs = 120_000;

/** Backs up with copies in another region, loses the first, and restores in the other: compares bytes and volumes. */
export async function lostRegionSteps(stage: LostRegionStage): Promise<void> {
  const { steps, regions, copied, elsewhere } = stage;
  const created = await backUpWithCopies(stage);
  await steps.run(
    `lose ${regions.lost}`,
    async () => await loseRegion(stage, created.snapshots[0]),
    (answer) => ({
      where: regions.lost,
      detail: `nothing in it answers from here on: ${answer}`,
    }),
  );
  const store = await copied.openStore();
  await steps.run(
    "restore through the lost location",
    async () => await restoreObjects(stage, copied, "restored-from-copies"),
    (bytes) => ({ where: store.location.bucket, bytes, detail: "read from the copies, equal to the input" }),
  );
  const there = await elsewhere.openStore();
  await steps.run(
    `verify the copies in ${regions.other}`,
    async () => await verifyWhole(elsewhere, there, await elsewhere.openRequiredVolumes(), created),
    ({ objects, snapshots }) => ({
      where: there.location.bucket,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      detail: `${objects.length} objects and ${snapshots.length} snapshots, each ok`,
    }),
  );
  await steps.run(
    `restore in ${regions.other} and compare byte by byte`,
    async () => await restoreWithVolumes(stage, created),
    ({ bytes, volumes }) => ({
      where: there.location.bucket,
      bytes,
      detail: ["equal to the input but for the places of its volumes", ...volumes].join("\n  "),
    }),
  );
}

async function backUpWithCopies({
  steps,
  from,
  regions,
  copied,
  printObject,
}: LostRegionStage): Promise<CreatedBackup> {
  const store = await copied.openStore();
  const volumes = await copied.openRequiredVolumes();
  const created = await steps.run(
    `back up with copies in ${regions.other}`,
    async () => await createBackup(copied, store, volumes, { name: copiedBackup, from }),
    (backup) => ({
      where: printObject(backup.bucket, contentsOf(backup).key),
      bytes: backup.objects.reduce((sum, { bytes }) => sum + bytes, 0),
      checksum: contentsOf(backup).checksum,
      detail: `${backup.objects.length} objects, each with a copy in the other region; ${backup.snapshots.length} snapshots`,
    }),
  );
  await steps.run(
    "copy its snapshots there, as the CronJob does",
    async () => await copyAll(copied, volumes, created),
    (copies) => ({ where: regions.other, detail: copies.join(", ") }),
  );
  return created;
}

async function copyAll(
  session: Session,
  volumes: OpenedVolumes,
  { snapshots }: CreatedBackup,
): Promise<readonly string[]> {
  const { statuses } = await copySnapshots(session, volumes, {
    snapshotIds: [],
    backup: copiedBackup,
    isWatching: true,
    intervalMs: lookIntervalMs,
    timeoutMs: copyTimeoutMs,
    parallel: undefined,
  });
  const complete = statuses.filter(({ state }) => state === "completed");
  if (complete.length === statuses.length && complete.length === snapshots.length)
    return complete.map(({ origin, copyId }) => `${origin.snapshotId} as ${copyId}`);
  throw new PluginError(
    `${complete.length} of ${snapshots.length} snapshots have a copy: ${JSON.stringify(statuses)}`,
    {
      kind: "incomplete",
    },
  );
}
