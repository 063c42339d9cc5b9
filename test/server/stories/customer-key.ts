import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { furtherBucket } from "../clouds/cloud.ts";
import { namespace } from "../server-pod.ts";
import type { Stage } from "../stage.ts";
import type { Story } from "../story.ts";
import { createLocation, untilLocation } from "../velero-objects.ts";
import { contentsOf, loseWorkload } from "../workload.ts";
import { backUp, checkRestored, restore } from "./life-of-a-backup.ts";

/** A location whose objects are encrypted with a key that the plugin reads from the cluster, as the pod's service account. */
export function tellCustomerKey({ aside }: Story, stage: Stage): void {
  aside("a location's encryption key is read from a Secret of the cluster", async () => {
    const { cluster, cloud } = stage;
    const before = await contentsOf(cluster);
    const file = join(stage.folder, "customer-key");
    await writeFile(file, randomBytes(32));
    await cluster.kubectl(["create", "secret", "generic", "sse", "-n", namespace, `--from-file=key=${file}`]);
    const config = { customerKeyEncryptionSecret: "sse/key" };
    await createLocation(stage, "sealed", { bucket: furtherBucket, prefix: "sealed", config });
    await untilLocation(cluster, "sealed", "Available");
    await backUp(stage, "sealed", "--storage-location", "sealed");
    await loseWorkload(cluster, cloud);

    await restore(stage, "of-the-sealed", "sealed");

    await checkRestored(stage, before);
    await cluster.kubectl(["delete", "secret", "sse", "-n", namespace]);
    assert.match(await untilLocation(cluster, "sealed", "Unavailable"), /Secret "sse"/);
    await cluster.velero("backup-location", "delete", "sealed", "--confirm");
  });
}
