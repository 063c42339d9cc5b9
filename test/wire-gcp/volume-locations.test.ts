import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { VolumeSnapshotterClient } from "@flotilla/host";
import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import { failureOf } from "../wire/bytes.ts";
import type { Session } from "./harness.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startVolumeRig();
after(() => rig.close());

const zone = "us-central1-a";
const tags = { "velero.io/backup": "b" };
const restore = { volumeType: "pd-ssd", volumeAz: zone, iops: undefined };

/** A project in which one service account alone may do anything. */
interface Team {
  readonly project: string;
  readonly account: string;
}

function teamOf(project: string): Team {
  return { project, account: `velero@${project}.iam.gserviceaccount.com` };
}

const red = teamOf("team-red");
const blue = teamOf("team-blue");
rig.gce.deny({ permissions: ["compute.*"], member: blue.account, project: red.project });
rig.gce.deny({ permissions: ["compute.*"], member: red.account, project: blue.project });

function volumeOf({ project }: Team, name: string, place = zone): JsonObject {
  const handle = `projects/${project}/zones/${place}/disks/${name}`;
  const volume =
    parseJson(`{"kind":"PersistentVolume","apiVersion":"v1","spec":{"csi":{"driver":"pd.csi.storage.gke.io",
    "volumeHandle":"${handle}"}}}`);
  assert.ok(isJsonObject(volume));
  return volume;
}

/** Opens both teams' locations in one process, in this order: the last one is the newest. */
async function openBoth(session: Session): Promise<readonly [VolumeSnapshotterClient, VolumeSnapshotterClient]> {
  const first = await rig.open({ session, account: red.account });
  return [first, await rig.open({ session, account: blue.account })];
}

function addDisk({ project }: Team, name: string, place = zone): void {
  rig.addDisk({ name, project, zone: place });
}

describe("two VolumeSnapshotLocations of other projects and identities in one process", { timeout: 240_000 }, () => {
  test("a snapshot is deleted in its own project, though the newest location may do nothing there", async () => {
    const session = rig.start();
    const first = await rig.open({ session, account: red.account });
    addDisk(red, "leak");
    const snapshotId = await first.createSnapshot({ volumeId: "leak", volumeAz: zone, tags });
    await rig.untilReady(snapshotId, red.project);
    const last = await rig.open({ session, account: blue.account });

    await last.deleteSnapshot(snapshotId);

    await rig.untilGone(snapshotId, red.project);
  });

  test("a snapshot that another process made is found by asking each location", async () => {
    addDisk(red, "foreign");
    const maker = await rig.open({ session: rig.start(), account: red.account });
    const snapshotId = await maker.createSnapshot({ volumeId: "foreign", volumeAz: zone, tags });
    await rig.untilReady(snapshotId, red.project);
    const [, last] = await openBoth(rig.start());

    await last.deleteSnapshot(snapshotId);

    await rig.untilGone(snapshotId, red.project);
  });

  test("disks of both projects are each snapshotted in their own project, interleaved", async () => {
    const [first, last] = await openBoth(rig.start());
    addDisk(red, "red-data");
    addDisk(blue, "blue-data");
    const ids = await Promise.all([
      first.getVolumeId(volumeOf(red, "red-data")),
      last.getVolumeId(volumeOf(blue, "blue-data")),
    ]);

    const snapshots = await Promise.all(
      [0, 1, 0, 1].map(async (which) => {
        const volumeId = ids[which] ?? "";
        return await first.createSnapshot({ volumeId, volumeAz: zone, tags });
      }),
    );

    const found = await Promise.all(
      snapshots.map(async (name, index) => rig.snapshot(name, [red, blue][index % 2]?.project)),
    );
    assert.deepEqual(
      found.map(({ sourceDisk }) => /projects\/([^/]+)/.exec(sourceDisk ?? "")?.[1]),
      [red, blue, red, blue].map(({ project }) => project),
    );
  });

  test("disks of the same name are told apart by the handle of the PersistentVolume that was read last", async () => {
    const [first, last] = await openBoth(rig.start());
    addDisk(red, "data");
    addDisk(blue, "data");

    const made: string[] = [];
    for (const team of [red, blue, red]) {
      const volumeId = await last.getVolumeId(volumeOf(team, "data"));
      made.push(await first.createSnapshot({ volumeId, volumeAz: zone, tags }));
    }

    for (const [index, team] of [red, blue, red].entries()) assert.ok(rig.snapshot(made[index] ?? "", team.project));
  });

  test("a disk is restored by its snapshot's location, and its PersistentVolume points there", async () => {
    const session = rig.start();
    const first = await rig.open({ session, account: red.account });
    addDisk(red, "restored");
    const snapshotId = await first.createSnapshot({ volumeId: "restored", volumeAz: zone, tags });
    const last = await rig.open({ session, account: blue.account });

    const restoredId = await last.createVolumeFromSnapshot({ ...restore, snapshotId });
    const volume = await last.setVolumeId(volumeOf(red, "restored"), restoredId);

    assert.equal(JSON.stringify(volume), JSON.stringify(volumeOf(red, restoredId)));
    assert.ok(rig.disk(restoredId, `zones/${zone}`, red.project));
  });

  test("a snapshot that nobody may delete is not taken for deleted", async () => {
    const [, last] = await openBoth(rig.start());
    const snapshotId = rig.addSnapshot({ name: "guarded", project: red.project });
    const allow = rig.gce.deny({ permissions: ["compute.snapshots.delete"], project: red.project });

    const error = await failureOf(last.deleteSnapshot(snapshotId));

    allow();
    assert.equal(error.kind, "denied");
    assert.ok(rig.snapshot(snapshotId, red.project));
  });

  test("after a kill each location of the process is opened again", async () => {
    const session = rig.start();
    const [first] = await openBoth(session);
    addDisk(red, "again-red");
    addDisk(blue, "again-blue");
    const read = async (volumeId: string): Promise<string> =>
      (await first.getVolumeInfo({ volumeId, volumeAz: zone })).volumeType;
    await read("again-red");

    process.kill(session.manager.pids[0] ?? 0, "SIGKILL");
    await failureOf(read("again-red")).catch(() => undefined);

    assert.match(await read("again-red"), /team-red/);
    assert.match(await read("again-blue"), /team-blue/);
  });
});

describe("the configuration of a VolumeSnapshotLocation", { timeout: 240_000 }, () => {
  const refusals: readonly (readonly [name: string, config: Readonly<Record<string, string>>, message: RegExp])[] = [
    ["a snapshotType that is none", { snapshotType: "INSTANT" }, /snapshotType/],
    ["a wait that is none", { wait: "yes" }, /wait/],
    ["a waitTimeout that is no duration", { waitTimeout: "2 minutes" }, /waitTimeout/],
    ["an unknown key", { volumeProjet: "p" }, /volumeProjet \(did you mean volumeProject\?\)/],
    ["a key of the object store", { storeEndpoint: "https://x" }, /storeEndpoint/],
    ["a credentials file that is not there", { credentialsFile: "/nowhere/cloud" }, /\/nowhere\/cloud/],
  ];

  for (const [name, config, message] of refusals)
    test(`${name} is refused at once`, async () => {
      const error = await failureOf(rig.open({ session: rig.start(), config }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, message);
    });

  test("credentials without a type, and without a project where the location names none, are refused", async () => {
    // The stand-in writes the key file.
    const key = JSON.parse(rig.identity.serviceAccountKey("velero@flotilla.iam.gserviceaccount.com")) as Record<
      string,
      string
    >;
    const { type: _type, ...typeless } = key;
    const { project_id: _project, ...placeless } = key;

    for (const [credentials, message] of [
      [typeless, /"type"/],
      [placeless, /names no project; set the location's key volumeProject/],
    ] as const) {
      const error = await failureOf(rig.open({ session: rig.start(), credentials: JSON.stringify(credentials) }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, message);
    }
  });

  test("without credentials the identity and the project are the node's", async () => {
    rig.identity.setMachine({ projectId: red.project, serviceAccount: red.account });
    const snapshotter = rig.start(rig.identity.metadataEnvironment).manager.getVolumeSnapshotter("velero.io/gcp");
    addDisk(red, "of-the-node");

    await snapshotter.init({ endpoint: rig.gce.url });
    const snapshotId = await snapshotter.createSnapshot({ volumeId: "of-the-node", volumeAz: zone, tags });

    assert.ok(rig.snapshot(snapshotId, red.project));
  });

  test("the node's own project comes before one that the environment names, as in the official plugin", async () => {
    rig.identity.setMachine({ projectId: red.project, serviceAccount: red.account });
    const env = { ...rig.identity.metadataEnvironment, GOOGLE_CLOUD_PROJECT: blue.project };
    const snapshotter = rig.start(env).manager.getVolumeSnapshotter("velero.io/gcp");
    addDisk(red, "of-the-other-node");

    await snapshotter.init({ endpoint: rig.gce.url });
    const snapshotId = await snapshotter.createSnapshot({ volumeId: "of-the-other-node", volumeAz: zone, tags });

    assert.ok(rig.snapshot(snapshotId, red.project));
  });

  test("a metadata server that is not ready yet is asked again", async () => {
    rig.identity.setMachine({ projectId: red.project, serviceAccount: red.account });
    const snapshotter = rig.start(rig.identity.metadataEnvironment).manager.getVolumeSnapshotter("velero.io/gcp");
    addDisk(red, "of-a-new-pod");
    const fault = { kind: "error", status: 503, code: "UNAVAILABLE" } as const;
    const storm = rig.identity.faults.add(fault, { operation: "Metadata" }, { times: 2 });

    await snapshotter.init({ endpoint: rig.gce.url });
    const snapshotId = await snapshotter.createSnapshot({ volumeId: "of-a-new-pod", volumeAz: zone, tags });

    assert.equal(storm.hits, 2);
    assert.ok(rig.snapshot(snapshotId, red.project));
  });

  test("requests are billed to the quota_project_id of the location's own credentials, not to the environment's file", async () => {
    const key = JSON.parse(rig.identity.serviceAccountKey(red.account)) as Readonly<Record<string, unknown>>;
    const credentials = JSON.stringify({ ...key, project_id: red.project, quota_project_id: "payer" });
    const named = { GOOGLE_APPLICATION_CREDENTIALS: await rig.writeCredentials("named", credentials) };
    const ofEnvironment = rig.start(named).manager.getVolumeSnapshotter("velero.io/gcp");
    const payersOf = async (volumeId: string, snapshotter: VolumeSnapshotterClient): Promise<readonly unknown[]> => {
      addDisk(red, volumeId);
      await snapshotter.getVolumeInfo({ volumeId, volumeAz: zone });
      const asked = rig.requests("disks.get").filter(({ key = "" }) => key.endsWith(`/${volumeId}`));
      return asked.map(({ headers }) => headers.get("x-goog-user-project"));
    };

    await ofEnvironment.init({ endpoint: rig.gce.url });
    const own = await rig.open({ session: rig.start(), credentials });

    assert.deepEqual(await payersOf("billed-to-nobody", ofEnvironment), [undefined]);
    assert.deepEqual(await payersOf("billed-to-payer", own), ["payer"]);
  });

  test("every official key is accepted, in any case where the official plugin does", async () => {
    const config = { snapshotLocation: "us", snapshotType: "Standard", project: "p-1", volumeProject: "p-2" };

    await rig.open({ session: rig.start(), config });
  });

  test("volumeProject and project tell where disks and snapshots are, whatever the credentials say", async () => {
    const config = { volumeProject: red.project, project: blue.project };
    const snapshotter = await rig.open({ session: rig.start(), config });
    addDisk(red, "placed");

    const snapshotId = await snapshotter.createSnapshot({ volumeId: "placed", volumeAz: zone, tags });
    const restoredId = await snapshotter.createVolumeFromSnapshot({ ...restore, snapshotId });

    assert.ok(rig.snapshot(snapshotId, blue.project));
    assert.ok(rig.disk(restoredId, `zones/${zone}`, red.project));
  });
});
