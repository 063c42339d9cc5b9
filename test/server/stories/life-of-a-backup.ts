import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { runCronJob } from "../cron-job.ts";
import { applyManifests, imageOf, printInstallation, runVeleroLine } from "../installation.ts";
import { namespace } from "../server-pod.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { until } from "../until.ts";
import { namesOf, statusOf, untilLocation } from "../velero-objects.ts";
import { contentsOf, createWorkload, loseWorkload, untilBound, volumesOf, workload } from "../workload.ts";
import type { Contents } from "../workload.ts";

/** The backup that everything is restored from. */
export const firstBackup = "first";
/** The backup whose plugin is killed. */
export const killedBackup = "killed";
/** The backup whose server is killed. */
export const abandonedBackup = "abandoned";

/** From the line that installs the server to its location. */
export function tellInstallation({ step }: Story, stage: Stage): void {
  const { cloud } = stage;

  step("the line that flotilla prints installs the server", async () => {
    const folder = await mkdtemp(join(stage.folder, "install-"));
    const line = await printInstallation(folder, cloud, "velero");

    const output = await runVeleroLine(folder, stage.cluster, line);

    assert.match(output, /Velero is installed/);
  });

  step("the manifests that flotilla prints are accepted by the API server, as their header says", async () => {
    const { cluster } = stage;
    const manifests = await printInstallation(await mkdtemp(join(stage.folder, "install-")), cloud, "manifests");
    await cluster.velero("plugin", "remove", imageOf(cloud));

    const output = await applyManifests(cluster, manifests);

    assert.match(output, /cronjob\.batch\/flotilla-verify serverside-applied/);
    const job = ["create", "job", "by-hand", "--from=cronjob/flotilla-verify", "--namespace", namespace];
    assert.match(await cluster.kubectl([...job, "--dry-run=server"]), /job\.batch\/by-hand created/);
    const containers = [
      "deployment",
      "velero",
      "--namespace",
      namespace,
      "-o=jsonpath={.spec.template.spec.initContainers[*].image}",
    ];
    assert.equal(await cluster.kubectl(["get", ...containers]), imageOf(cloud));
  });

  step("the server starts with the plugin, and finds its location available", async () => {
    await stage.startPod();

    await untilLocation(stage.cluster, "default", "Available");

    const plugins = await stage.cluster.velero("plugin", "get");
    const name = cloud.implementation ?? `velero.io/${cloud.provider}`;
    for (const kind of ["ObjectStore", "VolumeSnapshotter"])
      assert.match(plugins, new RegExp(`^${RegExp.escape(name)}\\s+${kind}$`, "m"));
  });
}

/** From a backup to the restore of what was lost, in its own cluster and in an empty one. */
export function tellLifeOfABackup({ step, aside }: Story, stage: Stage): void {
  let before: Contents;
  const { cloud, executable } = stage;

  step("a backup completes, without an error or a warning, and snapshots each volume", async () => {
    await createWorkload(stage.cluster, cloud);
    before = await contentsOf(stage.cluster);

    await backUp(stage, firstBackup);

    assert.equal((await cloud.snapshots()).length, cloud.volumes.length);
    const keys = await cloud.objects();
    for (const file of ["velero-backup.json", "first.tar.gz", "first-logs.gz", "first-volumesnapshots.json.gz"])
      assert.ok(keys.includes(`backups/first/${file}`), `${file} is not among ${keys.join(", ")}`);
  });

  aside("the CronJob of the manifests reads the backup back", async () => {
    const verified = await runCronJob(stage.cluster, "flotilla-verify", { folder: stage.folder, executable });

    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /first/);
  });

  step("everything is lost, and a restore brings it back with volumes made from the snapshots", async () => {
    await loseWorkload(stage.cluster, cloud);
    for (const { id } of cloud.volumes) assert.equal(await cloud.hasVolume(id), false);

    await restore(stage, "back", firstBackup);

    await checkRestored(stage, before);
  });
}

/** What velero's command line fetches from the store past the server; after the life of a backup. */
export function tellSignedUrls({ aside }: Story, stage: Stage): void {
  const { cloud } = stage;

  aside("what a user asks of a backup and a restore is fetched through signed URLs", async () => {
    const described = await stage.cluster.velero("backup", "describe", firstBackup, "--details", ...stage.trust);
    assert.match(described, /Phase:\s+Completed/);
    for (const snapshot of await cloud.snapshots()) assert.ok(described.includes(snapshot), described);
    assert.match(await stage.cluster.velero("backup", "logs", firstBackup, ...stage.trust), /Backed up a total of/);
    const file = join(stage.folder, "downloaded.tar.gz");

    await stage.cluster.velero("backup", "download", firstBackup, "--output", file, ...stage.trust);

    const restored = await stage.cluster.velero("restore", "describe", "back", "--details", ...stage.trust);
    assert.match(restored, /Phase:\s+Completed/);
    assert.match(await stage.cluster.velero("restore", "logs", "back", ...stage.trust), /restore completed/);
    assert.ok(gunzipSync(await readFile(file)).includes("resources/configmaps/namespaces/shop/settings.json"));
  });
}

/** A new cluster on the same bucket, when the old one is gone. */
export function tellEmptyCluster({ step }: Story, stage: Stage): void {
  const { cloud } = stage;

  step("in an empty cluster the server finds the good backups in the bucket, and restores one", async () => {
    const before = await contentsOf(stage.cluster);
    await loseWorkload(stage.cluster, cloud);
    await stage.replaceCluster();
    const folder = await mkdtemp(join(stage.folder, "install-"));
    await runVeleroLine(folder, stage.cluster, await printInstallation(folder, cloud, "velero"));
    await stage.startPod();
    await until("the backup is there", async () => (await namesOf(stage.cluster, "backup")).includes(firstBackup));
    const found = await namesOf(stage.cluster, "backup");
    for (const name of [killedBackup, abandonedBackup])
      assert.ok(!found.includes(name), `${name}, which has no contents, is offered`);

    await restore(stage, "elsewhere", firstBackup);

    await checkRestored(stage, before);
  });
}

/** Deletes the first backup, at the end of all that needs it. */
export function tellDeletion({ step }: Story, stage: Stage): void {
  step("a deleted backup takes its objects and snapshots along", async () => {
    const { cluster, cloud } = stage;
    const others = (await cloud.snapshots()).length - cloud.volumes.length;

    await cluster.velero("backup", "delete", firstBackup, "--confirm");

    await until("the backup is gone", async () => !(await namesOf(cluster, "backup")).includes(firstBackup));
    const keys = await cloud.objects();
    assert.deepEqual(
      keys.filter((key) => key.startsWith(`backups/${firstBackup}/`)),
      [],
    );
    assert.equal((await cloud.snapshots()).length, others);
  });
}

/** Makes a backup of the workload, which must complete without anything to tell. */
export async function backUp({ cluster, trust }: Stage, name: string, ...flags: readonly string[]): Promise<void> {
  await cluster.velero("backup", "create", name, "--include-namespaces", workload, "--wait", ...flags);
  const { phase, errors = 0, warnings = 0, ...status } = await statusOf(cluster, "backup", name);
  if (phase !== "Completed" || errors + warnings > 0)
    assert.fail(`${phase}: ${JSON.stringify(status)}\n${await cluster.velero("backup", "logs", name, ...trust)}`);
}

/** Restores a backup, which must complete without anything to tell but of what each cluster makes by itself. */
export async function restore(stage: Stage, name: string, backup: string): Promise<void> {
  const { cluster, trust } = stage;
  await cluster.velero("restore", "create", name, "--from-backup", backup, "--wait");
  const { phase, errors = 0, warnings = 0 } = await statusOf(cluster, "restore", name);
  // By the server's log, since not every location has URLs that tell of them.
  const lines = (await stage.pod().log()).split("\n").filter((line) => line.includes(`restore=velero/${name}`));
  const told = lines.filter((line) => line.includes("resource restore warning"));
  const isAboutCluster = told.every((line) => line.includes("ConfigMap:kube-root-ca.crt already exists"));
  if (phase !== "Completed" || errors > 0 || warnings !== told.length || !isAboutCluster)
    assert.fail(`${told.join("\n")}\n${await cluster.velero("restore", "describe", name, "--details", ...trust)}`);
}

/** Compares what was restored with what there was, and each volume with the snapshot that it must be made from. */
export async function checkRestored({ cluster, cloud }: Stage, before: Contents): Promise<void> {
  await untilBound(cluster, cloud);
  assert.deepEqual(await contentsOf(cluster), before);
  const snapshots = await cloud.snapshots();
  const restored = await volumesOf(cluster);
  for (const { name, id } of cloud.volumes) {
    const volume = restored.get(name);
    assert.ok(volume !== undefined, `there is no PersistentVolume of the claim ${name}`);
    const now = cloud.volumeOf(volume);
    assert.notEqual(now, id);
    assert.ok(await cloud.hasVolume(now), `the PersistentVolume of ${name} names ${now}, which is not there`);
    assert.ok(snapshots.includes(await cloud.sourceOf(now)), `${now} is not made from a snapshot`);
  }
}
