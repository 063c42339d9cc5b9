import assert from "node:assert/strict";
import { after, test } from "node:test";

import { printedPolicy } from "../wire/printed-policy.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());

const call = { signal: new AbortController().signal };

test("the printed role is enough for every request on disks", async () => {
  const { Actions } = (await printedPolicy("--provider", "azure", "--bucket", "b")) as { Actions: readonly string[] };
  rig.arm.deny({ actions: ["Microsoft.Compute/*"], except: Actions });
  const snapshotter = await rig.open({ config: { wait: "completed" } });
  const volumeId = rig.addDisk();

  for await (const finding of snapshotter.check(call)) assert.notEqual(finding.severity, "failure", finding.detail);
  const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "eastus-1", tags: { a: "b" } });
  const wanted = { snapshotId, volumeType: "Premium_LRS", volumeAz: "eastus-1", iops: undefined };
  assert.match(await snapshotter.createVolumeFromSnapshot(wanted), /^restore-/);
  await snapshotter.deleteSnapshot(snapshotId);
});
