import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { namespace } from "../server-pod.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { until } from "../until.ts";
import { createLocation, namesOf, statusOf, untilLocation } from "../velero-objects.ts";
import { workload } from "../workload.ts";
import { backUp, killedBackup } from "./life-of-a-backup.ts";

/** What goes wrong around a server, and what its user sees of it. */
export function tellFailures({ aside }: Story, stage: Stage): void {
  const { cloud } = stage;

  aside("a plugin that is killed in the middle of a backup fails that backup, and the next one completes", async () => {
    const { cluster } = stage;
    const slow = cloud.faults.add(
      { kind: "delay", ms: 20_000 },
      { operation: cloud.putOperation, key: new RegExp(`/${killedBackup}\\.tar\\.gz$`) },
    );
    await cluster.velero("backup", "create", killedBackup, "--include-namespaces", workload);
    await until("the backup is written", () => slow.hits > 0);

    for (const { pid } of stage.pod().plugins()) process.kill(pid, "SIGKILL");

    await until("the backup has ended", async () => {
      const { phase = "New" } = await statusOf(cluster, "backup", killedBackup);
      return !["New", "InProgress", "Finalizing", "Queued", "ReadyToStart"].includes(phase);
    });
    slow.remove();
    const { phase } = await statusOf(cluster, "backup", killedBackup);
    assert.match(phase ?? "", /^(Failed|PartiallyFailed)$/);
    await backUp(stage, "after-the-kill");
  });

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

  aside("a bucket that is not there makes a location unavailable, with its name", async () => {
    const { cluster } = stage;
    await createLocation(stage, "missing", { bucket: "no-such-bucket", prefix: "missing" });

    const message = await untilLocation(cluster, "missing", "Unavailable");

    assert.match(message, /no-such-bucket/);
    await cluster.velero("backup-location", "delete", "missing", "--confirm");
  });
}

/** How long the server is watched, in which it validates, looks for backups and makes them by a schedule. */
export interface WatchOptions {
  readonly minutes: number;
}

/** What a server does for ever. */
export function tellSteadyState({ aside }: Story, stage: Stage, { minutes }: WatchOptions): void {
  aside(`in ${minutes} minutes of validations and scheduled backups no process, socket or memory is left`, async () => {
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
    assert.ok(growth < 64, `the server has grown by ${growth.toFixed(0)} MiB`);
  });
}
