import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, collect, failureOf } from "./bytes.ts";
import { losableRegions, openCopied } from "./copies-rig.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import { until } from "./until.ts";

const rig = await startObjectRig({ regions: losableRegions });
after(async () => {
  rig.s3.faults.clear();
  await rig.close();
});

const small = bytesOf(100_000, "lost region");
const large = bytesOf(3 * smallPartBytes + 1234, "large lost region");

// The SDK's own tries are few here: what is looked at is what comes after them.
const env = { AWS_MAX_ATTEMPTS: "2" };

describe("a lost region", { concurrency: true, timeout: 600_000 }, () => {
  for (const [loss, region] of [
    ["refuse", "us-west-2"],
    ["close", "eu-central-1"],
    ["hang", "us-east-1"],
  ] as const) {
    test(`whose store does this: ${loss}, leaves its backups readable in full from the copy`, async () => {
      const session = rig.start(env);
      const { location, warnings } = await openCopied(rig, `lost-${loss}`, { region, session, config: smallParts });
      await location.put("backups/b/velero-backup.json", small);
      await location.put("backups/b/b.tar.gz.part", large);
      const { store, bucket } = location;

      rig.s3.loseRegion(region, loss);

      const top = { bucket, prefix: "", delimiter: "/" };
      assert.deepEqual(await store.listCommonPrefixes(top), ["backups/"]);
      assert.equal(await location.exists("backups/b/velero-backup.json"), true);
      assert.ok((await location.get("backups/b/velero-backup.json")).equals(small));
      assert.ok((await location.get("backups/b/b.tar.gz.part")).equals(large));
      assert.equal((await location.describe("backups/b/velero-backup.json")).sizeBytes, 100_000n);
      const url = await store.createSignedUrl(location.at("backups/b/velero-backup.json"), 60);
      assert.ok(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(small));
      await until("a warning came", () => warnings().length > 0);
      assert.ok(warnings().every((line) => line.includes(`s3://lost-${loss}-copy`)));
    });
  }

  test("does not make a backup that is older than its copies look like one without snapshots", async () => {
    const region = "eu-west-3";
    const session = rig.start(env);
    const before = await rig.open("older-than-copies", { config: { region }, bucketRegion: region, session });
    await before.put("backups/old/velero-backup.json", small);
    await before.put("backups/old/old-volumesnapshots.json.gz", small);
    const late = { region, session: rig.start(env), bucketIs: "there" } as const;
    const { location } = await openCopied(rig, "older-than-copies", late);
    await location.put("backups/new/velero-backup.json", small);
    rig.s3.loseRegion(region);

    // What a list lacks the server deletes from its cluster.
    const listed = await failureOf(
      location.store.listCommonPrefixes({ ...location.at(""), prefix: "backups/", delimiter: "/" }),
    );
    assert.equal(listed.kind, "unavailable");
    assert.match(listed.message, /a copy is not asked for a list/);
    for (const file of ["velero-backup.json", "old-volumesnapshots.json.gz"]) {
      const error = await failureOf(location.exists(`backups/old/${file}`));
      assert.equal(error.kind, "unavailable");
    }
    assert.equal(await location.exists("backups/new/new-volumesnapshots.json.gz"), false);
    rig.s3.restoreRegion(region);
    assert.equal(await location.exists("backups/old/old-volumesnapshots.json.gz"), true);
  });

  test("of the copies makes puts fail where the copy is required, and warn where it is not", async () => {
    const copyRegion = "ap-south-1";
    const both = { region: "eu-north-1", copyRegion, session: rig.start(env) };
    const required = await openCopied(rig, "copies-lost", both);
    const query = { mode: "best-effort" };
    const bestEffort = await openCopied(rig, "copies-lost-too", { ...both, query });
    rig.s3.loseRegion(copyRegion);

    const error = await failureOf(required.location.put("contents", small));
    await bestEffort.location.put("contents", small);

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /s3:\/\/copies-lost-copy.*ServiceUnavailable/);
    await until("the warning came", () => bestEffort.warnings().length === 1);
    assert.ok((await bestEffort.location.get("contents")).equals(small));
    const notDeleted = await failureOf(required.location.store.deleteObject(required.location.at("contents")));
    assert.equal(notDeleted.kind, "unavailable");
    assert.equal(await required.location.exists("contents"), true);
  });

  test("takes its puts with it: nothing is written to the copies alone", async () => {
    const region = "sa-east-1";
    const { location, copy } = await openCopied(rig, "no-puts", { region, session: rig.start(env) });
    rig.s3.loseRegion(region);

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "unavailable");
    assert.deepEqual(await copy.list(), []);
  });

  test("that is lost in the middle of a read is left for the copy before the reader has seen a byte", async () => {
    const region = "ca-central-1";
    const options = { region, session: rig.start(env), config: smallParts };
    const { location } = await openCopied(rig, "mid-read", options);
    await location.put("contents", large);
    const match = { bucket: "mid-read", operation: "GetObject" };
    rig.s3.faults.add({ kind: "cut-response", afterBytes: 900_000 }, match, { times: 1000 });

    const read = collect(location.store.getObject(location.at("contents")));
    rig.s3.loseRegion(region);

    assert.ok((await read).equals(large));
  });
});
