import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { VolumeSnapshotterClient } from "@flotilla/host";
import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";
import { azureDefaults } from "@flotilla/test/emulators";

import { failureOf } from "../wire/bytes.ts";
import type { Session } from "./harness.ts";
import { armId, startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());
const { arm } = rig;

const zone = "eastus-1";
const tags = { "velero.io/backup": "b" };

/** A subscription in which one application alone may do anything. */
interface Team {
  readonly subscriptionId: string;
  readonly lines: Readonly<Record<string, string>>;
}

function teamOf(name: string, subscriptionId: string): Team {
  arm.addSubscription({ subscriptionId, resourceGroups: ["nodes"] });
  const clientId = `client-${name}`;
  arm.identity.directory.addApplication({ tenantId: azureDefaults.tenantId, clientId, secrets: [name] });
  return {
    subscriptionId,
    lines: {
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: name,
      AZURE_SUBSCRIPTION_ID: subscriptionId,
      AZURE_RESOURCE_GROUP: "nodes",
    },
  };
}

const red = teamOf("red", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
const blue = teamOf("blue", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb");
for (const [owner, other] of [
  [red, blue],
  [blue, red],
] as const)
  arm.deny({
    actions: ["*"],
    clientId: other.lines["AZURE_CLIENT_ID"] ?? "",
    scope: `/subscriptions/${owner.subscriptionId}`,
  });

function volumeOf({ subscriptionId }: Team, name: string): JsonObject {
  const handle = armId("disks", name, "nodes", subscriptionId);
  const volume = parseJson(`{"kind":"PersistentVolume","apiVersion":"v1","spec":{"csi":{"driver":"disk.csi.azure.com",
    "volumeHandle":"${handle}"}}}`);
  assert.ok(isJsonObject(volume));
  return volume;
}

/** Opens both teams' locations in one process, in this order: the last one is the newest. */
async function openBoth(session: Session): Promise<readonly [VolumeSnapshotterClient, VolumeSnapshotterClient]> {
  const first = await rig.open({ session, lines: red.lines });
  return [first, await rig.open({ session, lines: blue.lines })];
}

function addDisk({ subscriptionId }: Team, name: string): void {
  arm.addDisk({ name, subscriptionId, resourceGroup: "nodes" });
}

describe(
  "two VolumeSnapshotLocations of other subscriptions and identities in one process",
  { timeout: 240_000 },
  () => {
    test("a snapshot is deleted in its own subscription, though the newest location may do nothing there", async () => {
      const session = rig.start();
      const first = await rig.open({ session, lines: red.lines });
      addDisk(red, "leak");
      const snapshotId = await first.createSnapshot({ volumeId: "leak", volumeAz: zone, tags });
      const last = await rig.open({ session, lines: blue.lines });

      await last.deleteSnapshot(snapshotId.toUpperCase());

      assert.equal(arm.find(snapshotId), undefined);
    });

    test("disks of the same name in both are each snapshotted in their own subscription, interleaved", async () => {
      const [first, last] = await openBoth(rig.start());
      addDisk(red, "data");
      addDisk(blue, "data");
      const ids = await Promise.all([
        first.getVolumeId(volumeOf(red, "data")),
        last.getVolumeId(volumeOf(blue, "data")),
      ]);

      const snapshots = await Promise.all(
        [0, 1, 0, 1].map(async (which) => {
          const volumeId = ids[which] ?? "";
          return await first.createSnapshot({ volumeId, volumeAz: zone, tags });
        }),
      );

      assert.deepEqual(
        snapshots.map(
          (id) =>
            arm.find(id) !== undefined &&
            /"sourceResourceId":"\/subscriptions\/([^/]+)/.exec(JSON.stringify(arm.find(id)))?.[1],
        ),
        [red, blue, red, blue].map(({ subscriptionId }) => subscriptionId),
      );
    });

    test("a disk is restored by its snapshot's location, and its PersistentVolume points there", async () => {
      const session = rig.start();
      const first = await rig.open({ session, lines: red.lines });
      addDisk(red, "restored");
      const snapshotId = await first.createSnapshot({ volumeId: "restored", volumeAz: zone, tags });
      const last = await rig.open({ session, lines: blue.lines });
      const request = { snapshotId, volumeType: "Premium_LRS", volumeAz: zone, iops: undefined };

      const restoredId = await last.createVolumeFromSnapshot(request);
      const volume = await last.setVolumeId(volumeOf(red, "restored"), restoredId);

      const handle = armId("disks", restoredId, "nodes", red.subscriptionId);
      assert.match(JSON.stringify(volume), new RegExp(`"volumeHandle":"${handle}"`));
      assert.ok(arm.find(handle));
    });

    test("a snapshot that nobody may delete is not taken for deleted", async () => {
      const [, last] = await openBoth(rig.start());
      const snapshotId = arm.addSnapshot({
        name: "guarded",
        subscriptionId: red.subscriptionId,
        resourceGroup: "vault",
      });
      const isGuarded = `/subscriptions/${red.subscriptionId}/resourceGroups/vault`;
      const allow = arm.deny({ actions: ["Microsoft.Compute/snapshots/delete"], scope: isGuarded });

      const error = await failureOf(last.deleteSnapshot(snapshotId));

      allow();
      assert.equal(error.kind, "denied");
      assert.ok(arm.find(snapshotId));
    });

    test("each location asks with its own identity", async () => {
      const [first, last] = await openBoth(rig.start());
      addDisk(red, "own-red");
      addDisk(blue, "own-blue");
      const ids = [
        armId("disks", "own-red", "nodes", red.subscriptionId),
        armId("disks", "own-blue", "nodes", blue.subscriptionId),
      ];

      const types = await Promise.all(
        [first, last, first, last].map(async (snapshotter, index) => {
          const info = await snapshotter.getVolumeInfo({ volumeId: ids[index % 2] ?? "", volumeAz: "" });
          return info.volumeType;
        }),
      );

      assert.deepEqual(types, Array(4).fill("Premium_LRS"));
    });
  },
);

describe("the configuration of a VolumeSnapshotLocation", { timeout: 240_000 }, () => {
  const refusals: readonly (readonly [name: string, options: Parameters<typeof rig.open>[0], message: RegExp])[] = [
    ["lines without AZURE_SUBSCRIPTION_ID", { lines: { AZURE_SUBSCRIPTION_ID: "" } }, /AZURE_SUBSCRIPTION_ID/],
    ["lines without AZURE_RESOURCE_GROUP", { lines: { AZURE_RESOURCE_GROUP: "" } }, /AZURE_RESOURCE_GROUP/],
    ["an apiTimeout that is no duration", { config: { apiTimeout: "2 minutes" } }, /apiTimeout/],
    ["an incremental that is no boolean", { config: { incremental: "yes" } }, /incremental/],
    ["tags that are none", { config: { tags: "team" } }, /tags/],
    [
      "an unknown key",
      { config: { apiTimout: "2m" } },
      /config has invalid keys \[apiTimout \(did you mean apiTimeout\?\)\]/,
    ],
  ];

  for (const [name, options, message] of refusals)
    test(`${name} is refused at once`, async () => {
      const error = await failureOf(rig.open({ session: rig.start(), ...options }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, message);
    });

  test("a location with subscriptionId alone makes its snapshots there, in the group of its lines", async () => {
    const config = { subscriptionId: blue.subscriptionId };
    const lines = { AZURE_RESOURCE_GROUP: "nodes", AZURE_SUBSCRIPTION_ID: red.subscriptionId };
    const snapshotter = await rig.open({ session: rig.start(), config, lines });
    addDisk(red, "shared-group");

    const snapshotId = await snapshotter.createSnapshot({ volumeId: "shared-group", volumeAz: zone, tags });

    assert.ok(snapshotId.startsWith(`/subscriptions/${blue.subscriptionId}/resourceGroups/nodes/`), snapshotId);
    assert.ok(arm.find(snapshotId));
  });

  test("every official key is accepted, activeDirectoryAuthorityURI too", async () => {
    const config = {
      resourceGroup: "g",
      subscriptionId: red.subscriptionId,
      apiTimeout: "1m30s",
      incremental: "T",
      tags: "a=b",
    };

    await rig.open({ session: rig.start(), config });
  });
});
