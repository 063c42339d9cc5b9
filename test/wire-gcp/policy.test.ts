import assert from "node:assert/strict";
import { after, test } from "node:test";

import { collect, inChunks } from "../wire/bytes.ts";
import { printedPolicy } from "../wire/printed-policy.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";
import { startVolumeRig } from "./volume-rig.ts";

const objects = await startGcsRig();
const rig = await startVolumeRig({ pendingMs: 300 });
after(async () => {
  await objects.close();
  await rig.close();
});

const zone = "us-central1-a";
const call = { signal: new AbortController().signal };

test("the printed roles are enough for every request on disks, regional ones and labels included", async () => {
  const roles = (await printedPolicy("--provider", "gcp", "--bucket", "b")) as Record<string, Role>;
  rig.gce.deny({ permissions: ["*"], except: roles["velero.volumes"]?.includedPermissions ?? [] });
  const snapshotter = await rig.open({ config: { wait: "completed" } });
  const disks = [
    { volumeId: rig.addDisk({ labels: { team: "a" } }), volumeAz: zone },
    {
      volumeId: rig.addDisk({ replicaZones: ["us-central1-a", "us-central1-b"] }),
      volumeAz: "us-central1-a__us-central1-b",
    },
  ];

  for await (const finding of snapshotter.check(call)) assert.notEqual(finding.severity, "failure", finding.detail);
  for (const { volumeId, volumeAz } of disks) {
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz, tags: { "velero.io/backup": "b" } });
    await snapshotter.createVolumeFromSnapshot({ snapshotId, volumeType: "pd-ssd", volumeAz, iops: undefined });
    await snapshotter.deleteSnapshot(snapshotId);
  }

  assert.deepEqual(refused(rig.requests()), []);
});

test("the printed roles are enough for every request on objects, chunks included", async () => {
  const roles = (await printedPolicy("--provider", "gcp", "--bucket", "b")) as Record<string, Role>;
  const { store } = await objects.open("policy", { config: smallParts });
  objects.gcs.deny({
    permissions: ["*"],
    except: roles["velero.objects"]?.includedPermissions ?? [],
    bucket: "policy",
  });
  const large = { bucket: "policy", key: "backups/one/one.tar" };

  for await (const finding of store.check(call)) assert.notEqual(finding.severity, "failure", finding.detail);
  await store.putObject(large, inChunks(Buffer.alloc(2 * smallPartBytes + 1, 7)), call);
  // Replacing one is another permission.
  await store.putObject(large, inChunks(Buffer.alloc(5)), call);
  await collect(store.getObject(large, call));
  await store.listCommonPrefixes({ bucket: "policy", prefix: "backups/", delimiter: "/" }, call);
  assert.equal(await store.objectExists({ ...large, key: "absent" }, call), false);
  await store.deleteObject(large, call);

  assert.deepEqual(refused(objects.requestsOf("policy")), []);
});

function refused(requests: readonly { readonly operation: string; readonly status: number }[]): string[] {
  return requests.filter(({ status }) => status === 403).map(({ operation }) => operation);
}

interface Role {
  readonly includedPermissions: readonly string[];
}
