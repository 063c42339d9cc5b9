import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

import type { TwoRegions } from "../clouds/cloud.ts";
import { runCronJob } from "../cron-job.ts";
import { applyManifests, printInstallation, runVeleroLine } from "../installation.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { until } from "../until.ts";
import { namesOf, untilLocation } from "../velero-objects.ts";
import { contentsOf, createWorkload } from "../workload.ts";
import type { Contents } from "../workload.ts";
import { backUp, checkRestored, firstBackup, restore } from "./life-of-a-backup.ts";

/** A region with the cluster in it is lost, and a server in another region restores from the copies alone. */
export function tellLostRegion({ step }: Story, stage: Stage & { readonly cloud: TwoRegions }): void {
  const { cloud, executable } = stage;
  const { elsewhere, copiedKeys } = cloud;
  let before: Contents;

  step("a backup completes whose objects and snapshots are copied to another region", async () => {
    const folder = await mkdtemp(join(stage.folder, "install-"));
    await runVeleroLine(folder, stage.cluster, await printInstallation(folder, cloud, "velero", copiedKeys));
    await applyManifests(stage.cluster, await printInstallation(folder, cloud, "manifests", copiedKeys));
    await stage.startPod();
    await untilLocation(stage.cluster, "default", "Available");
    await createWorkload(stage.cluster, cloud);
    before = await contentsOf(stage.cluster);

    await backUp(stage, firstBackup);

    const copied = await runCronJob(stage.cluster, "flotilla-volume-copy", {
      folder: stage.folder,
      executable,
    });
    assert.equal(copied.code, 0, copied.stderr);
    assert.equal((await elsewhere.snapshots()).length, cloud.volumes.length);
    assert.deepEqual(await elsewhere.objects(), await cloud.objects());
  });

  step("the region is lost, and a cluster in the other restores from the copies", async () => {
    cloud.loseRegion();
    await stage.replaceCluster();
    const folder = await mkdtemp(join(stage.folder, "install-"));
    await runVeleroLine(folder, stage.cluster, await printInstallation(folder, elsewhere, "velero"));
    await stage.startPod();
    await until("the backup is there", async () => (await namesOf(stage.cluster, "backup")).includes(firstBackup));

    await restore(stage, "moved", firstBackup);

    await checkRestored({ ...stage, cluster: stage.cluster, cloud: elsewhere }, before);
  });
}
