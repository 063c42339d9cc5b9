import assert from "node:assert/strict";

import type { Probe } from "../probe.ts";
import { messageOf, reasonOf } from "./context.ts";
import type { GceContext, Json, RawAnswer } from "./context.ts";

async function insert(context: GceContext, resource: Json): Promise<RawAnswer> {
  return await context.send("POST", `/zones/${context.zone}/disks`, {
    name: context.name(),
    sizeGb: "10",
    ...resource,
  });
}

const refusedDisks: readonly (readonly [string, (context: GceContext) => Json, string])[] = [
  ["a name with capitals", () => ({ name: "Disk" }), "invalid"],
  ["a name of 64 characters", () => ({ name: `a${"b".repeat(63)}` }), "invalid"],
  ["no name", () => ({ name: "" }), "required"],
  ["a size that the type does not have", (c) => ({ type: c.typeLink("pd-balanced"), sizeGb: "5" }), "invalid"],
  ["provisioned iops on pd-ssd", (c) => ({ type: c.typeLink("pd-ssd"), provisionedIops: "5000" }), "invalid"],
  ["too many iops", (c) => ({ type: c.typeLink("hyperdisk-balanced"), provisionedIops: "900000" }), "invalid"],
  ["a type of another zone", (c) => ({ type: c.typeLink("pd-ssd", c.target.zones[1]) }), "invalid"],
  ["a type of another project", (c) => ({ type: c.typeLink("pd-ssd").replace(c.project, "other") }), "invalid"],
  ["a type that does not exist", (c) => ({ type: c.typeLink("pd-none") }), "notFound"],
  ["a snapshot that does not exist", () => ({ sourceSnapshot: "global/snapshots/absent" }), "notFound"],
  ["a label key with capitals", () => ({ labels: { Key: "v" } }), "invalid"],
  ["a label value of 64 characters", () => ({ labels: { k: "v".repeat(64) } }), "invalid"],
  ["65 labels", () => ({ labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""])) }), "invalid"],
  ["a field that does not exist", () => ({ sizeGib: "10" }), "badRequest"],
  ["replica zones of a zonal disk", (c) => ({ replicaZones: [`zones/${c.zone}`] }), "invalid"],
  [
    "a KMS key that cannot be used",
    () => ({ diskEncryptionKey: { kmsKeyName: "projects/p/locations/l/keyRings/r/cryptoKeys/x" } }),
    "kmsPermissionDenied",
  ],
];

/** Disks, zonal and regional. */
export const diskProbes: readonly Probe<GceContext>[] = [
  {
    name: "Google's client makes a disk, reads it and deletes it",
    run: async (context) => {
      const { project, zone } = context;
      const disk = context.name();
      const diskResource = { name: disk, sizeGb: 20, type: context.typeLink("pd-ssd"), labels: { app: "x" } };
      await context.finished(await context.disks().insert({ project, zone, diskResource }));

      const [found] = await context.disks().get({ project, zone, disk });

      assert.equal(String(found.sizeGb), "20");
      assert.equal(found.status, "READY");
      assert.equal(found.type, context.typeLink("pd-ssd"));
      assert.deepEqual(found.labels, { app: "x" });
      await context.finished(await context.disks().delete({ project, zone, disk }));
      assert.equal((await context.send("GET", `/zones/${zone}/disks/${disk}`)).status, 404);
    },
  },
  {
    name: "Google's client makes a regional disk in two zones",
    run: async (context) => {
      const { project } = context;
      const { region, zones } = context.target;
      const disk = context.name();
      const replicaZones = zones.map((zone) => `projects/${project}/zones/${zone}`);
      const type = `projects/${project}/regions/${region}/diskTypes/pd-balanced`;
      await context.finished(
        await context.regionDisks().insert({
          project,
          region,
          diskResource: { name: disk, sizeGb: 10, type, replicaZones },
        }),
      );

      const [found] = await context.regionDisks().get({ project, region, disk });

      assert.deepEqual(
        found.replicaZones?.map((link) => link.split("/").at(-1)),
        zones,
      );
      assert.match(String(found.region), new RegExp(`/regions/${region}$`));
    },
  },
  {
    name: "a regional disk with one zone is refused",
    run: async (context) => {
      const { region, zones } = context.target;
      const resource = { name: context.name(), sizeGb: "10", replicaZones: [`zones/${zones[0]}`] };

      const answer = await context.send("POST", `/regions/${region}/disks`, {
        ...resource,
        type: `regions/${region}/diskTypes/pd-ssd`,
      });

      assert.deepEqual([answer.status, reasonOf(answer)], [400, "invalid"]);
    },
  },
  {
    name: "hyperdisk has the iops and the throughput that it is given, or usual ones",
    run: async (context) => {
      const type = context.typeLink("hyperdisk-balanced");
      const given = await context.disk({ type, provisionedIops: "4000", provisionedThroughput: "200" });
      const usual = await context.disk({ type });

      const one = (await context.send("GET", `/zones/${context.zone}/disks/${given}`)).body;
      const other = (await context.send("GET", `/zones/${context.zone}/disks/${usual}`)).body;

      assert.deepEqual([one["provisionedIops"], one["provisionedThroughput"]], ["4000", "200"]);
      assert.ok(Number(other["provisionedIops"]) >= 3000);
    },
  },
  ...refusedDisks.map(([what, resource, reason]): Probe<GceContext> => ({
    name: `a disk with ${what} is refused`,
    run: async (context) => {
      const answer = await insert(context, resource(context));

      assert.equal(reasonOf(answer), reason, messageOf(answer));
      assert.equal(answer.status, reason === "notFound" ? 404 : 400);
    },
  })),
  {
    name: "a disk that exists is 409 alreadyExists",
    run: async (context) => {
      const name = await context.disk();

      const answer = await insert(context, { name });

      assert.deepEqual([answer.status, reasonOf(answer)], [409, "alreadyExists"]);
    },
  },
  {
    name: "a write that is repeated with its request id is done once",
    run: async (context) => {
      const path = `/zones/${context.zone}/disks?requestId=${crypto.randomUUID()}`;
      const body = { name: context.name(), sizeGb: "10" };

      const first = await context.send("POST", path, body);
      const second = await context.send("POST", path, body);

      assert.equal(second.status, 200);
      assert.equal(second.body["name"], first.body["name"]);
    },
  },
  {
    name: "a disk encrypted with a key of Cloud KMS says with which",
    run: async (context) => {
      const { kmsKey } = context.target;
      const name = await context.disk({ diskEncryptionKey: { kmsKeyName: kmsKey } });

      const { body } = await context.send("GET", `/zones/${context.zone}/disks/${name}`);

      assert.deepEqual(body["diskEncryptionKey"], { kmsKeyName: `${kmsKey}/cryptoKeyVersions/1` });
    },
  },
  {
    name: "labels of a disk are changed with their fingerprint only",
    run: async (context) => {
      const name = await context.disk({ labels: { a: "1" } });
      const path = `/zones/${context.zone}/disks/${name}`;
      const { labelFingerprint } = (await context.send("GET", path)).body;
      const labels = { a: "2", b: "" };
      await context.done(await context.send("POST", `${path}/setLabels`, { labels, labelFingerprint }));

      const stale = await context.send("POST", `${path}/setLabels`, { labels: {}, labelFingerprint });

      assert.deepEqual([stale.status, reasonOf(stale)], [412, "conditionNotMet"]);
      assert.deepEqual((await context.send("GET", path)).body["labels"], labels);
    },
  },
  {
    name: "disks of a zone, and of all, are listed",
    run: async (context) => {
      const name = await context.disk();
      const { project, zone } = context;

      const [inZone] = await context.disks().list({ project, zone, filter: `name=${name}` });
      const { body } = await context.send("GET", `/aggregated/disks?filter=${encodeURIComponent(`name = "${name}"`)}`);

      assert.deepEqual(
        inZone.map((disk) => disk.name),
        [name],
      );
      assert.match(JSON.stringify(body), new RegExp(`"zones/${zone}":.*"name":"${name}"`));
    },
  },
  {
    name: "a disk that does not exist is 404 and named",
    run: async (context) => {
      const answer = await context.send("GET", `/zones/${context.zone}/disks/absent`);

      const message = `The resource 'projects/${context.project}/zones/${context.zone}/disks/absent' was not found`;
      assert.deepEqual(answer.body["error"], {
        code: 404,
        message,
        errors: [{ message, domain: "global", reason: "notFound" }],
      });
    },
  },
  {
    name: "a zone that does not exist is refused",
    run: async (context) => {
      const answer = await context.send("GET", "/zones/mars-north1-a/disks/x");

      assert.deepEqual([answer.status, reasonOf(answer)], [400, "invalid"]);
    },
  },
  {
    name: "a token that nobody issued, and none at all, are 401",
    run: async (context) => {
      const path = `/zones/${context.zone}/disks/x`;

      assert.equal((await context.send("GET", path, undefined, "ya29.wrong")).status, 401);
      assert.equal((await context.send("GET", path, undefined, "")).status, 401);
    },
  },
];
