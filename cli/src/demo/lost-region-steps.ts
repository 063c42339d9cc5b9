import { join } from "node:path";

import { createBackup } from "../commands/backup-create.ts";
import { restoreBackup } from "../commands/backup-restore.ts";
import type { Session } from "../session.ts";
import { compareFolder, expectedFiles } from "./expected-files.ts";
import { contentsOf } from "./good-backup-steps.ts";
import type { DemoRegions } from "./demo-cloud.ts";
import type { DemoStage } from "./run-demo.ts";

/** What the steps of the lost region work with. */
export interface LostRegionStage extends Pick<DemoStage, "steps" | "from" | "state" | "printObject"> {
  readonly regions: DemoRegions;
  /** On a location whose objects are copied to the other region. */
  readonly copied: Session;
  /** On these copies, as a cluster in the other region opens them: it knows of no other location. */
  readonly elsewhere: Session;
  /** From here on nothing in the first region answers. */
  readonly lose: () => Promise<void>;
}

const copiedBackup = "demo-copied";

/** Backs up with copies in another region, loses the first, and restores in the other, compared byte by byte. */
export async function lostRegionSteps(stage: LostRegionStage): Promise<void> {
  const { steps, from, regions, copied, printObject } = stage;
  const store = await copied.openStore();
  await steps.run(
    `back up with copies in ${regions.other}`,
    async () => await createBackup(copied, store, undefined, { name: copiedBackup, from }),
    (backup) => ({
      where: printObject(backup.bucket, contentsOf(backup).key),
      bytes: backup.objects.reduce((sum, { bytes }) => sum + bytes, 0),
      checksum: contentsOf(backup).checksum,
      detail: `${backup.objects.length} objects, each with a copy in the other region`,
    }),
  );
  await steps.run(`lose ${regions.lost}`, stage.lose, () => ({
    where: regions.lost,
    detail: "the stand-in refuses every request to it from here on",
  }));
  await steps.run(
    "restore through the lost location",
    async () => await restoreAndCompare(stage, copied, "restored-from-copies"),
    (bytes) => ({ where: store.location.bucket, bytes, detail: "read from the copies, equal to the input" }),
  );
  const there = await stage.elsewhere.openStore();
  await steps.run(
    `restore in ${regions.other} and compare byte by byte`,
    async () => await restoreAndCompare(stage, stage.elsewhere, "restored-elsewhere"),
    (bytes) => ({ where: there.location.bucket, bytes, detail: "equal to the input" }),
  );
}

async function restoreAndCompare(stage: LostRegionStage, session: Session, folder: string): Promise<number> {
  const to = join(stage.state, folder);
  await restoreBackup(session, await session.openStore(), undefined, { name: copiedBackup, to });
  return await compareFolder(to, await expectedFiles(stage.from));
}
