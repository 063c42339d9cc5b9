import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { after, describe, test } from "node:test";

import { azureDefaults } from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { failureOf } from "../wire/bytes.ts";
import { toldAt } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { armId, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig({ pendingMs: 1200 });
after(() => rig.close());
const { arm } = rig;

// A time that stands still unless a test moves it: operations of ten minutes never end by themselves.
let nowMs = Date.now();
const stuckRig = await startVolumeRig({ pendingMs: 600_000, now: () => new Date(nowMs) });
after(() => stuckRig.close());

const zone = "eastus-1";
const tags = { "velero.io/backup": "nightly", "velero.io/pv": "pvc" };

function permissionAt(diskName: string, ...actions: string[]): { readonly actions: string[]; readonly scope: string } {
  return { actions, scope: armId("disks", diskName) };
}

describe("what Azure refuses", { concurrency: true, timeout: 240_000 }, () => {
  test("a disk that may not be read is named with the permission to grant", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ name: "unreadable" });
    arm.deny(permissionAt(volumeId, "Microsoft.Compute/disks/read"));

    for (const error of [
      await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone })),
      await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags })),
    ]) {
      assert.equal(error.kind, "denied");
      assert.match(error.message, /disk "unreadable" in resource group "cluster-nodes"/);
      assert.match(error.message, /AuthorizationFailed, HTTP 403, request .*; grant Microsoft\.Compute\/disks\/read$/);
    }
  });

  test("a snapshot that may not be made leaves nothing and names the permission", async () => {
    const snapshotter = await rig.open({ session: rig.start(), config: { resourceGroup: "no-writes" } });
    arm.addSubscription({ subscriptionId: azureDefaults.subscriptionId, resourceGroups: ["no-writes"] });
    const scope = `/subscriptions/${azureDefaults.subscriptionId}/resourceGroups/no-writes`;
    arm.deny({ actions: ["Microsoft.Compute/snapshots/write"], scope });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /Microsoft\.Compute\/snapshots\/write/);
    assert.deepEqual(await rig.snapshotsOf(volumeId, "no-writes"), []);
  });

  test("a disk whose content may not be read is told in Azure's words", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    arm.deny(permissionAt(volumeId, "Microsoft.Compute/disks/beginGetAccess/action"));

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /LinkedAuthorizationFailed.*grant .*Microsoft\.Compute\/disks\/beginGetAccess\/action/);
  });

  test("a customer's key that the role may not read is told at the backup, and named at the restore", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session, config: { resourceGroup: azureDefaults.resourceGroup } });
    const diskEncryptionSetId = arm.addDiskEncryptionSet({ name: "customer-key" });
    const volumeId = rig.addDisk({ encryption: { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId } });
    arm.deny({ actions: ["Microsoft.Compute/diskEncryptionSets/read"], scope: diskEncryptionSetId });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: zone, iops: undefined };
    const error = await failureOf(snapshotter.createVolumeFromSnapshot(request));

    const warnings = (await toldAt(session, "warn")).map((line) => JSON.stringify(line));
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      /cannot be restored.*customer-key.*grant Microsoft\.Compute\/diskEncryptionSets\/read/,
    );
    assert.equal(error.kind, "denied");
    assert.match(
      error.message,
      /does not have permission to perform action\(s\) 'Microsoft\.Compute\/diskEncryptionSets/,
    );
    assert.match(error.message, /; grant .* and Microsoft\.Compute\/diskEncryptionSets\/read$/);
  });

  test("a token that has expired on Azure's side says so", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const fault = { kind: "error", status: 401, code: "ExpiredAuthenticationToken", message: "expired" } as const;
    arm.faults.add(fault, { operation: "Disks_Get", key: armId("disks", volumeId) });

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /the token has expired/);
  });

  test("a wrong client secret is told without the secret", async () => {
    const snapshotter = await rig.open({ session: rig.start(), lines: { AZURE_CLIENT_SECRET: "wr0ng" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /AADSTS7000215/);
    assert.doesNotMatch(error.message, /wr0ng/);
  });

  test("an endpoint whose certificate nobody vouches for is not asked", async () => {
    const snapshotter = await rig.open({ session: rig.start(), config: { caCert: "" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone }));

    assert.match(error.message, /certificate is not trusted.*caCert/);
    assert.equal(error.kind, "unavailable");
  });

  test("a missing resource group for snapshots is an error of the location, not an absent volume", async () => {
    const snapshotter = await rig.open({ session: rig.start(), config: { resourceGroup: "nowhere" } });
    const volumeId = rig.addDisk();

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /resource group is missing.*resourceGroup/);
  });

  test("a disk that is not there is not found", async () => {
    const snapshotter = await rig.open();

    for (const volumeId of ["absent", armId("disks", "absent", "nowhere")]) {
      const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

      assert.equal(error.kind, "not-found");
      assert.match(error.message, /disk "absent" .*not found/);
    }
  });

  test("a snapshot that is not there cannot be restored", async () => {
    const snapshotter = await rig.open();
    const request = { snapshotId: armId("snapshots", "absent"), volumeType: "Premium_LRS", volumeAz: zone };

    const error = await failureOf(snapshotter.createVolumeFromSnapshot({ ...request, iops: undefined }));

    assert.equal(error.kind, "not-found");
  });

  test("a page that answers 404 in Azure's place is not taken for a deleted snapshot", async (t) => {
    const tls = createThrowawayCertificate("a proxy");
    const page = createServer(tls, (_, response) => void response.writeHead(404).end("<html>Not Found</html>"));
    page.listen(0, "127.0.0.1");
    await once(page, "listening");
    t.after(() => page.close());
    const address = page.address();
    assert.ok(typeof address === "object" && address !== null);
    const config = { endpoint: `https://127.0.0.1:${address.port}`, caCert: `${arm.caPem}\n${tls.cert}` };
    const snapshotter = await rig.open({ session: rig.start(), config });

    const error = await failureOf(snapshotter.deleteSnapshot(armId("snapshots", "kept")));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /not Azure Resource Manager's.*HTTP 404/);
  });

  test("a snapshot of a subscription that the identity does not see is not taken for a deleted one", async () => {
    const snapshotter = await rig.open();
    const unseen = "99999999-9999-4999-8999-999999999999";

    const error = await failureOf(snapshotter.deleteSnapshot(armId("snapshots", "kept", "g", unseen)));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /subscription is missing/);
  });

  test("an id of another cloud is refused before Azure is asked", async () => {
    const snapshotter = await rig.open();

    assert.equal((await failureOf(snapshotter.deleteSnapshot("snap-0123456789abcdef0"))).kind, "invalid-argument");
  });

  test("Azure's throttling is waited for as long as it says", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const fault = { status: 429, code: "OperationNotAllowed", headers: { "retry-after": "1" } };
    arm.faults.add({ kind: "error", ...fault }, { operation: "Disks_Get", key: armId("disks", volumeId) });
    const began = performance.now();

    await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });

    assert.ok(performance.now() - began >= 950);
  });

  test("throttling that does not say how long is waited for as well", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const match = { operation: "Disks_Get", key: armId("disks", volumeId) };
    const fault = arm.faults.add({ kind: "error", status: 429, code: "TooManyRequests" }, match, { times: 2 });

    await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });

    assert.equal(fault.hits, 2);
  });

  test("throttling without end is told as such", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const fault = { status: 429, code: "OperationNotAllowed", headers: { "retry-after": "0" } };
    arm.faults.add(
      { kind: "error", ...fault },
      { operation: "Disks_Get", key: armId("disks", volumeId) },
      { times: 100 },
    );

    const error = await failureOf(snapshotter.getVolumeInfo({ volumeId, volumeAz: zone }));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /throttled/);
  });
});

describe("what fails on the way", { concurrency: true, timeout: 240_000 }, () => {
  test("a snapshot that fails after Azure accepted it fails the backup with the reason and is removed", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    arm.failNext(armId("disks", volumeId), {
      code: "KeyVaultAccessForbidden",
      message: "The key vault denies access.",
    });

    const error = await failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /The key vault denies access\..*; the unfinished snapshot was deleted$/);
    assert.deepEqual(await rig.snapshotsOf(volumeId), []);
  });

  test("a disk that fails after Azure accepted it fails the restore with the reason and is removed", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk();
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    arm.failNext(snapshotId, { code: "ZonalAllocationFailed", message: "No room in the zone." });
    const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: zone, iops: undefined };

    const error = await failureOf(snapshotter.createVolumeFromSnapshot(request));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /No room in the zone\..*; the unfinished disk was deleted$/);
    const [, name = ""] = /disk "(restore-[^"]+)"/.exec(error.message) ?? [];
    assert.equal(arm.find(armId("disks", name)), undefined);
  });

  test("a request for a snapshot whose answer is lost makes one snapshot", async () => {
    const snapshotter = await rig.open();
    const volumeId = rig.addDisk({ name: "lost-answer" });
    const isOfDisk = /\/snapshots\/lost-answer-/;
    const lost = arm.faults.add({ kind: "lose-response" }, { operation: "Snapshots_CreateOrUpdate", key: isOfDisk });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal(lost.hits, 1);
    assert.deepEqual(
      (await rig.snapshotsOf(volumeId)).map(({ id, provisioningState }) => [id, provisioningState]),
      [[snapshotId, "Succeeded"]],
    );
  });

  test("connections that are lost while the operation goes on are outlasted", async () => {
    const snapshotter = await rig.open({ session: rig.start() });
    const volumeId = rig.addDisk();
    const lost = arm.faults.add({ kind: "lose-response" }, { operation: "DiskOperations_Get" }, { times: 3 });

    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });

    assert.equal(lost.hits, 3);
    assert.equal((await rig.describeSnapshot(snapshotId)).provisioningState, "Succeeded");
  });

  test("a quota that is used up is told in Azure's words", async () => {
    const other = await startVolumeRig();
    try {
      other.arm.setQuota({ snapshots: 0 });
      const snapshotter = await other.open();

      const error = await failureOf(snapshotter.createSnapshot({ volumeId: other.addDisk(), volumeAz: zone, tags }));

      assert.match(error.message, /a quota is used up: .*Current Limit: 0.*QuotaExceeded/);
    } finally {
      await other.close();
    }
  });
});

describe("an operation that never ends", { timeout: 240_000 }, () => {
  test("is given up after apiTimeout, what it made is deleted, and the error says both", async () => {
    const snapshotter = await stuckRig.open({ config: { apiTimeout: "300ms" } });
    const volumeId = stuckRig.addDisk();
    const creating = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));
    await until("the deletion was asked for", () => stuckRig.arm.log.entries("Snapshots_Delete").length > 0);

    nowMs += 700_000;
    const error = await creating;

    assert.equal(error.kind, "timeout");
    assert.match(error.message, /last seen: InProgress, 0 %\); raise the location's key apiTimeout; the unfinished/);
    assert.match(error.message, /the unfinished snapshot was deleted$/);
    assert.deepEqual(await stuckRig.snapshotsOf(volumeId), []);
  });

  test("is ended by a cancelled call, and what it made is deleted", async () => {
    const snapshotter = await stuckRig.open({ session: stuckRig.start() });
    const volumeId = stuckRig.addDisk();
    const cancelling = new AbortController();
    const request = { volumeId, volumeAz: zone, tags };
    const creating = failureOf(snapshotter.createSnapshot(request, { signal: cancelling.signal }));
    await until("the snapshot was begun", async () => (await stuckRig.snapshotsOf(volumeId)).length > 0);

    cancelling.abort();
    await creating;

    await until("the snapshot is being deleted", async () => {
      const [snapshot] = await stuckRig.snapshotsOf(volumeId);
      return snapshot?.provisioningState === "Deleting";
    });
  });

  test("ends with a killed process, and the next backup works in a new one", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ session });
    const volumeId = rig.addDisk();
    const creating = failureOf(snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags }));
    await until("the snapshot was begun", async () => (await rig.snapshotsOf(volumeId)).length > 0);
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    const error = await creating;

    assert.equal(error.kind, "unavailable");
    const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: zone, tags });
    assert.equal((await rig.describeSnapshot(snapshotId)).provisioningState, "Succeeded");
  });
});
