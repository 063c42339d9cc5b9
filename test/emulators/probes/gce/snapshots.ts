import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import type { Probe } from "../probe.ts";
import { messageOf, reasonOf } from "./context.ts";
import type { GceContext, Json } from "./context.ts";

async function ready(context: GceContext, name: string): Promise<Json> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { body } = await context.send("GET", `/global/snapshots/${name}`);
    if (body["status"] === "READY" || body["status"] === "FAILED") return body;
    if (Date.now() > deadline) throw new Error("it was not ready after 20 s");
    await delay(20);
  }
}

const refusedSnapshots: readonly (readonly [string, Json])[] = [
  ["a name with capitals", { name: "Snap" }],
  ["two locations", { storageLocations: ["us", "eu"] }],
  ["a location that does not exist", { storageLocations: ["mars"] }],
  ["a type that does not exist", { snapshotType: "INSTANT" }],
  ["a label key that begins with a number", { labels: { "1a": "" } }],
  ["a description of more than 2048 characters", { description: "x".repeat(2049) }],
];

/** Snapshots and what is made of them. */
export const snapshotProbes: readonly Probe<GceContext>[] = [
  {
    name: "Google's client makes a snapshot, waits for it and reads it",
    run: async (context) => {
      const { project, zone } = context;
      const disk = await context.disk();
      const snapshot = context.name();
      const description = JSON.stringify({ "velero.io/backup": "b" });
      const done = await context.finished(
        await context.disks().createSnapshot({
          project,
          zone,
          disk,
          snapshotResource: { name: snapshot, description, labels: { app: "x" }, storageLocations: ["eu"] },
        }),
      );

      assert.ok(done.error === undefined || done.error === null);
      await ready(context, snapshot);
      const [found] = await context.snapshots().get({ project, snapshot });
      assert.equal(found.description, description);
      assert.deepEqual(found.storageLocations, ["eu"]);
      assert.equal(String(found.diskSizeGb), "10");
      assert.match(String(found.sourceDisk), new RegExp(`/zones/${zone}/disks/${disk}$`));
      assert.equal(found.snapshotType, "STANDARD");
    },
  },
  {
    name: "a snapshot is being made, is being uploaded, and is ready",
    run: async (context) => {
      const disk = await context.disk();
      const name = context.name();
      const path = `/zones/${context.zone}/disks/${disk}/createSnapshot`;
      const answer = await context.send("POST", path, { name });

      const early = (await context.send("GET", `/global/snapshots/${name}`)).body["status"];

      assert.ok(answer.body["status"] === "PENDING" || answer.body["status"] === "RUNNING");
      assert.ok(early === "CREATING" || early === "UPLOADING", String(early));
      assert.equal((await ready(context, name))["status"], "READY");
    },
  },
  {
    name: "a disk is made of a snapshot",
    run: async (context) => {
      const snapshot = await context.snapshot(await context.disk());
      await ready(context, snapshot);
      const sourceSnapshot = `https://www.googleapis.com/compute/v1/projects/${context.project}/global/snapshots/${snapshot}`;

      const disk = await context.disk({ sourceSnapshot, sizeGb: null });

      const { body } = await context.send("GET", `/zones/${context.zone}/disks/${disk}`);
      assert.equal(body["sourceSnapshot"], sourceSnapshot);
      assert.equal(body["sizeGb"], "10");
    },
  },
  {
    name: "a disk smaller than its snapshot is refused",
    run: async (context) => {
      const snapshot = await context.snapshot(await context.disk({ sizeGb: "20" }));
      await ready(context, snapshot);

      const answer = await context.send("POST", `/zones/${context.zone}/disks`, {
        name: context.name(),
        sizeGb: "15",
        sourceSnapshot: `global/snapshots/${snapshot}`,
      });

      assert.deepEqual([answer.status, reasonOf(answer)], [400, "invalid"]);
    },
  },
  {
    name: "a disk of a snapshot that is not ready is refused",
    run: async (context) => {
      const disk = await context.disk();
      const name = context.name();
      await context.send("POST", `/zones/${context.zone}/disks/${disk}/createSnapshot`, { name });

      const sourceSnapshot = `global/snapshots/${name}`;
      const answer = await context.send("POST", `/zones/${context.zone}/disks`, {
        name: context.name(),
        sourceSnapshot,
      });

      assert.deepEqual([answer.status, reasonOf(answer)], [400, "resourceNotReady"]);
    },
  },
  {
    name: "a snapshot of a regional disk is made",
    run: async (context) => {
      const { region, zones } = context.target;
      const disk = context.name();
      await context.done(
        await context.send("POST", `/regions/${region}/disks`, {
          name: disk,
          sizeGb: "10",
          type: `regions/${region}/diskTypes/pd-ssd`,
          replicaZones: zones.map((zone) => `zones/${zone}`),
        }),
      );
      const name = context.name();

      await context.done(await context.send("POST", `/regions/${region}/disks/${disk}/createSnapshot`, { name }));

      assert.match(String((await ready(context, name))["sourceDisk"]), new RegExp(`/regions/${region}/disks/${disk}$`));
    },
  },
  {
    name: "a snapshot is made by snapshots.insert too",
    run: async (context) => {
      const { project } = context;
      const sourceDisk = `projects/${project}/zones/${context.zone}/disks/${await context.disk()}`;
      const name = context.name();

      await context.finished(await context.snapshots().insert({ project, snapshotResource: { name, sourceDisk } }));

      assert.equal((await ready(context, name))["status"], "READY");
    },
  },
  {
    name: "an archive snapshot says so",
    run: async (context) => {
      const name = await context.snapshot(await context.disk(), { snapshotType: "ARCHIVE" });

      assert.equal((await ready(context, name))["snapshotType"], "ARCHIVE");
    },
  },
  {
    name: "a snapshot of a disk with a key has the same key",
    run: async (context) => {
      const { kmsKey } = context.target;
      const name = await context.snapshot(await context.disk({ diskEncryptionKey: { kmsKeyName: kmsKey } }));

      const { snapshotEncryptionKey } = await ready(context, name);

      assert.deepEqual(snapshotEncryptionKey, { kmsKeyName: `${kmsKey}/cryptoKeyVersions/1` });
    },
  },
  ...refusedSnapshots.map(([what, resource]): Probe<GceContext> => ({
    name: `a snapshot with ${what} is refused`,
    run: async (context) => {
      const path = `/zones/${context.zone}/disks/${await context.disk()}/createSnapshot`;

      const answer = await context.send("POST", path, { name: context.name(), ...resource });

      assert.deepEqual([answer.status, reasonOf(answer)], [400, "invalid"], messageOf(answer));
    },
  })),
  {
    name: "a snapshot that exists is 409 alreadyExists",
    run: async (context) => {
      const disk = await context.disk();
      const name = await context.snapshot(disk);

      const answer = await context.send("POST", `/zones/${context.zone}/disks/${disk}/createSnapshot`, { name });

      assert.deepEqual([answer.status, reasonOf(answer)], [409, "alreadyExists"]);
    },
  },
  {
    name: "labels of a snapshot are changed with their fingerprint only",
    run: async (context) => {
      const name = await context.snapshot(await context.disk());
      const { labelFingerprint } = await ready(context, name);
      const path = `/global/snapshots/${name}/setLabels`;
      await context.done(await context.send("POST", path, { labels: { a: "1" }, labelFingerprint }));

      const stale = await context.send("POST", path, { labels: {}, labelFingerprint });

      assert.deepEqual([stale.status, reasonOf(stale)], [412, "conditionNotMet"]);
      assert.deepEqual((await ready(context, name))["labels"], { a: "1" });
    },
  },
  {
    name: "a deleted snapshot is gone when its operation is done, and a second delete is 404",
    run: async (context) => {
      const { project } = context;
      const snapshot = await context.snapshot(await context.disk());
      await ready(context, snapshot);
      await context.finished(await context.snapshots().delete({ project, snapshot }));

      const again = await context.send("DELETE", `/global/snapshots/${snapshot}`);

      assert.deepEqual([again.status, reasonOf(again)], [404, "notFound"]);
    },
  },
  {
    name: "snapshots are listed in pages, by name and by label",
    run: async (context) => {
      const disk = await context.disk();
      const label = context.name();
      const names = await Promise.all([1, 2, 3].map(() => context.snapshot(disk, { labels: { probe: label } })));
      const { project } = context;

      const [byLabel] = await context.snapshots().list({ project, filter: `labels.probe=${label}`, maxResults: 2 });
      const filter = encodeURIComponent(`labels.probe = "${label}"`);
      const first = (await context.send("GET", `/global/snapshots?maxResults=2&filter=${filter}`)).body;
      const rest = `/global/snapshots?maxResults=2&filter=${filter}&pageToken=${String(first["nextPageToken"])}`;
      const second = (await context.send("GET", rest)).body;

      assert.deepEqual(new Set(byLabel.map((one) => one.name)), new Set(names));
      assert.equal((first["items"] as readonly unknown[]).length, 2);
      assert.equal((second["items"] as readonly unknown[]).length, 1);
      assert.equal(second["nextPageToken"], undefined);
    },
  },
  {
    name: "a filter that is not understood is refused",
    run: async (context) => {
      const answer = await context.send("GET", `/global/snapshots?filter=${encodeURIComponent("name ~ 'x'")}`);

      assert.equal(answer.status, 400);
    },
  },
  {
    name: "a project tells the quota of its snapshots",
    run: async (context) => {
      const [project] = await context.projects().get({ project: context.project });

      const quota = project.quotas?.find(({ metric }) => metric === "SNAPSHOTS");

      assert.ok(Number(quota?.limit) > Number(quota?.usage));
    },
  },
  {
    name: "an operation that does not exist is 404",
    run: async (context) => {
      assert.equal((await context.send("GET", `/zones/${context.zone}/operations/absent`)).status, 404);
    },
  },
];
