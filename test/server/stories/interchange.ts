import assert from "node:assert/strict";

import { furtherBucket } from "../clouds/cloud.ts";
import type { OfficialPlugin } from "../clouds/cloud.ts";
import { imageOf } from "../installation.ts";
import { namespace } from "../server-pod.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { until } from "../until.ts";
import { createLocation, namesOf, untilLocation } from "../velero-objects.ts";
import { contentsOf, loseWorkload } from "../workload.ts";
import type { Contents } from "../workload.ts";
import { backUp, checkRestored, firstBackup, restore } from "./life-of-a-backup.ts";

/** One location served in turn by the official plugin and by ours, as when somebody moves, and moves back. */
export function tellInterchange({ step }: Story, stage: Stage, official: OfficialPlugin): void {
  let before: Contents;

  step("the official plugin restores what ours has backed up", async () => {
    before = await contentsOf(stage.cluster);
    const paths = official.withoutKeys.map((key) => ({ op: "remove", path: `/spec/config/${key}` }));
    const patch = ["patch", "volumesnapshotlocation.velero.io", "default", "-n", namespace, "--type=json"];
    await stage.cluster.kubectl([...patch, "-p", JSON.stringify(paths)]);
    await useOfficial(stage, official);
    await loseWorkload(stage.cluster, stage.cloud);

    await restore(stage, "by-the-official", firstBackup);

    await checkRestored(stage, before);
  });

  step("ours restores what the official plugin has backed up", async () => {
    await backUp(stage, "theirs");
    await useOurs(stage, official);
    await loseWorkload(stage.cluster, stage.cloud);

    await restore(stage, "of-the-official", "theirs");

    await checkRestored(stage, before);
  });

  step("each deletes what the other has made, and nothing is left", async () => {
    const snapshots = (await stage.cloud.snapshots()).length;
    await backUp(stage, "ours");
    await deleteBackup(stage, "theirs");
    await useOfficial(stage, official);

    await deleteBackup(stage, "ours");

    // The official plugin does not wait until a snapshot is gone.
    const left = snapshots - stage.cloud.volumes.length;
    await until("the snapshots are gone", async () => (await stage.cloud.snapshots()).length === left);
    await useOurs(stage, official);
  });
}

/** Both plugins in one server, ours under another name, before somebody moves. */
export function tellTrial({ aside }: Story, stage: Stage, official: OfficialPlugin): void {
  const { cloud, executable } = stage;
  const provider = `flotilla.io/${cloud.provider}`;

  aside("for a trial ours works beside the official plugin, under an alias", async () => {
    const { cluster } = stage;
    const before = await contentsOf(cluster);
    await cluster.velero("plugin", "add", officialImage, "--confirm");
    const images = { [imageOf(cloud)]: executable, [officialImage]: official.plugin.path };
    await stage.startPod({ ...official, images, env: { ...official.env, FLOTILLA_ALIAS: "flotilla.io" } });
    await createLocation(stage, "trial", { bucket: furtherBucket, prefix: "trial", provider });
    const known = Object.entries(cloud.keys.volumeConfig).filter(([key]) => !official.withoutKeys.includes(key));
    const config = known.flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    await cluster.velero("snapshot-location", "create", "trial", "--provider", provider, ...config);
    await untilLocation(cluster, "trial", "Available");
    await untilLocation(cluster, "default", "Available");
    await backUp(stage, "trial", "--storage-location", "trial", "--volume-snapshot-locations", "trial");
    await loseWorkload(cluster, cloud);

    await restore(stage, "of-the-trial", "trial");

    await checkRestored(stage, before);
    await cluster.velero("plugin", "remove", officialImage);
    await useOurs(stage, official);
  });
}

const officialImage = "registry.example.com/official/velero-plugin:v1";

async function useOfficial(stage: Stage, { plugin, env, files = {} }: OfficialPlugin): Promise<void> {
  await stage.startPod({ images: { [imageOf(stage.cloud)]: plugin.path }, env, files });
  await untilLocation(stage.cluster, "default", "Available");
}

async function useOurs(stage: Stage, { env, files = {} }: OfficialPlugin): Promise<void> {
  await stage.startPod({ env, files });
  await untilLocation(stage.cluster, "default", "Available");
}

/** Deletes a backup, and waits until its objects are gone too. */
async function deleteBackup({ cluster, cloud }: Stage, name: string): Promise<void> {
  await cluster.velero("backup", "delete", name, "--confirm");
  await until(`the backup ${name} is gone`, async () => !(await namesOf(cluster, "backup")).includes(name));
  const keys = await cloud.objects();
  assert.deepEqual(
    keys.filter((key) => key.startsWith(`backups/${name}/`)),
    [],
  );
}
