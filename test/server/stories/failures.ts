import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { namespace } from "../server-pod.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { until } from "../until.ts";
import { createLocation, namesOf, statusOf, untilLocation } from "../velero-objects.ts";
import { workload } from "../workload.ts";
import { abandonedBackup, backUp, killedBackup } from "./life-of-a-backup.ts";

/** What goes wrong around a server, and what its user sees of it. */
export function tellFailures({ aside }: Story, stage: Stage): void {
  const { cloud } = stage;

  aside("a plugin that is killed in the middle of a backup fails that backup, and the next one completes", async () => {
    await untilWriting(stage, killedBackup);

    for (const { pid } of stage.pod().plugins()) process.kill(pid, "SIGKILL");

    assert.match(await endOf(stage, killedBackup), /^(Failed|PartiallyFailed)$/);
    await backUp(stage, "after-the-kill");
  });

  aside("a server that is killed in the middle of a backup leaves no plugin, and its successor completes", async () => {
    const pod = stage.pod();
    await untilWriting(stage, abandonedBackup);

    process.kill(pod.pid, "SIGKILL");

    await until("no plugin runs", () => pod.plugins().length === 0, { timeoutMs: 30_000 });
    await stage.startPod();
    await untilLocation(stage.cluster, "default", "Available");
    assert.equal(await endOf(stage, abandonedBackup), "Failed");
    await backUp(stage, "after-the-crash");
  });

  aside("a snapshot that may not be made makes the backup PartiallyFailed, and the permission is named", async () => {
    const allow = cloud.refuseSnapshots();
    await stage.cluster.velero("backup", "create", "unsnapped", "--include-namespaces", workload, "--wait");
    allow();

    assert.equal((await statusOf(stage.cluster, "backup", "unsnapped")).phase, "PartiallyFailed");
    const described = await stage.cluster.velero("backup", "describe", "unsnapped", "--details", ...stage.trust);
    assert.ok(described.includes(cloud.snapshotPermission), described);
  });

  aside("a backup of which one byte has rotted in the store is not restored, and the object is named", async () => {
    await backUp(stage, "rotten");
    const key = "backups/rotten/rotten.tar.gz";
    await flipByte(cloud.objectFile(key));

    await stage.cluster.velero("restore", "create", "of-the-rotten", "--from-backup", "rotten", "--wait");

    const { phase, failureReason = "" } = await statusOf(stage.cluster, "restore", "of-the-rotten");
    assert.equal(phase, "Failed");
    assert.ok(failureReason.includes(key), failureReason);
    assert.match(failureReason, /is recorded as .*, its bytes give .*: use another backup/);
  });

  aside("a bucket that is not there makes a location unavailable, with its name", async () => {
    const { cluster } = stage;
    await createLocation(stage, "missing", { bucket: "no-such-bucket", prefix: "missing" });

    const message = await untilLocation(cluster, "missing", "Unavailable");

    assert.match(message, /no-such-bucket/);
    await cluster.velero("backup-location", "delete", "missing", "--confirm");
  });
}

/** A location whose credentials do not fit. */
export function tellRefusedCredentials({ aside }: Story, stage: Stage): void {
  const { cloud } = stage;

  aside("credentials that the cloud refuses make a location unavailable, with the reason and what to do", async () => {
    const { cluster } = stage;
    const file = join(stage.folder, "refused");
    await writeFile(file, cloud.refusedCredentials);
    await cluster.kubectl(["create", "secret", "generic", "refused", "-n", namespace, `--from-file=cloud=${file}`]);
    await createLocation(stage, "refused", { prefix: "refused", secret: "refused" });

    const message = await untilLocation(cluster, "refused", "Unavailable");

    for (const part of cloud.refusal) assert.match(message, part);
    assert.doesNotMatch(message, /owner-secret|not-the-secret|PRIVATE KEY/);
    await cluster.velero("backup-location", "delete", "refused", "--confirm");
  });
}

/** Begins a backup and waits until its contents are being written, which takes long. */
async function untilWriting({ cloud, cluster }: Stage, name: string): Promise<void> {
  const slow = cloud.faults.add({ kind: "delay", ms: 20_000 }, cloud.contentsPut(name));
  await cluster.velero("backup", "create", name, "--include-namespaces", workload);
  await until("the backup is written", () => slow.hits > 0);
  slow.remove();
}

/** Waits until a backup has ended and answers its phase. */
async function endOf({ cluster }: Stage, name: string): Promise<string> {
  let phase = "New";
  await until(
    `the backup ${name} has ended`,
    async () => {
      phase = (await statusOf(cluster, "backup", name)).phase ?? "New";
      return !["New", "InProgress", "Finalizing", "Queued", "ReadyToStart"].includes(phase);
    },
    { instead: () => phase },
  );
  return phase;
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await writeFile(path, bytes);
}

/** How long the server is watched, in which it validates, looks for backups and makes them by a schedule. */
export interface WatchOptions {
  readonly minutes: number;
}

/** What a server does for ever. */
export function tellSteadyState({ aside }: Story, stage: Stage, { minutes }: WatchOptions): void {
  aside(
    `in ${minutes} minutes of validations and scheduled backups no process, socket or memory is left`,
    async (say) => {
      const { cluster } = stage;
      const pod = stage.pod();
      const leftBefore = await pod.sockets();
      const schedule = ["schedule", "create", "often", "--schedule", "@every 1m", "--ttl", "10m"];
      await cluster.velero(...schedule, "--include-namespaces", workload, "--snapshot-volumes=false");
      await delay(60_000);
      const before = pod.memory();
      let most = 0;

      const end = Date.now() + (minutes - 1) * 60_000;
      while (Date.now() < end) {
        most = Math.max(most, pod.plugins().length);
        await delay(500);
      }

      await cluster.velero("schedule", "delete", "often", "--confirm");
      const scheduled = (await namesOf(cluster, "backup")).filter((name) => name.startsWith("often-"));
      assert.ok(scheduled.length >= minutes - 1, `${scheduled.length} backups were made`);
      for (const name of scheduled) assert.equal((await statusOf(cluster, "backup", name)).phase, "Completed");
      await until("no plugin runs", () => pod.plugins().length === 0);
      assert.deepEqual(await pod.sockets(), leftBefore);
      // A backup, its finalizer, a sync, a validation and a download are at once at most.
      assert.ok(most <= 6, `${most} plugin processes at once`);
      const growth = (pod.memory() - before) / 1024 ** 2;
      say(
        `the server: ${(before / 1024 ** 2).toFixed(0)} MiB after a minute, ${growth.toFixed(1)} MiB more at the end`,
      );
      say(`${scheduled.length} backups by the schedule; at most ${most} plugin processes at once`);
      assert.ok(growth < 64, `the server has grown by ${growth.toFixed(0)} MiB`);
    },
  );
}
