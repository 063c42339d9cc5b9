import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { findRestic } from "../restic/find-restic.ts";
import { absenceWords } from "../wire/absence.ts";
import { failureOf, readUntilError } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { skip, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";
import { startRestServer } from "./rest-server.ts";

/** Old versions try a removal that is refused for most of a minute. */
function slowRemovals(): string | false {
  const restic = findRestic();
  const version = restic === undefined ? "" : execFileSync(restic, ["version"], { encoding: "utf8" });
  return / 0\.1[4-6]\./.test(version) ? "slow with a restic before 0.17" : false;
}

// Where the repository is no folder, a listing serves for ten seconds, in which others change what it says.

describe("a repository behind a server", { skip }, () => {
  let rig: ResticRig;
  let repository: string;

  before(async () => {
    rig = await startResticRig({ isMade: false });
    const folder = join(rig.folder, "served");
    await mkdir(folder);
    const server = await startRestServer(folder);
    rig.own(server);
    ({ repository } = server);
  });

  after(async () => {
    await rig.close();
  });

  async function open(bucket: string): Promise<Location> {
    return await rig.open(bucket, { session: rig.start(), config: { repository, initialize: "true" } });
  }

  for (const overwrites of [false, true])
    test(`made by two hosts at the same moment keeps what it took, where files are ${overwrites ? "" : "not "}overwritten`, async () => {
      const folder = join(rig.folder, `two-hosts-${overwrites}`);
      await mkdir(folder);
      const server = await startRestServer(folder, { overwrites });
      rig.own(server);
      // Under two names, so that nothing in this machine has them take turns.
      const names = [server.repository, server.repository.replace("127.0.0.1", "localhost")];
      const locations = await Promise.all(
        names.map(async (name) => {
          return await rig.open("bucket", { session: rig.start(), config: { repository: name, initialize: "true" } });
        }),
      );

      const puts = locations.map(async (location, index) => await location.put(`key-${index}`, Buffer.from("x")));
      const outcomes = await Promise.allSettled(puts);
      const seen = await rig.open("bucket", { session: rig.start(), config: { repository: names[0] ?? "" } });
      for (const [index, outcome] of outcomes.entries())
        if (outcome.status === "fulfilled") assert.equal(String(await seen.get(`key-${index}`)), "x");
        else
          assert.match(
            String(outcome.reason),
            /two hosts made it at the same moment.*remove it whole and make it anew/,
          );
    });

  test("a delete takes what another process has just put, too", async () => {
    const [one, other] = [await open("delete"), await open("delete")];
    await one.put("key", Buffer.from("first"));
    await one.list();
    await other.put("key", Buffer.from("second"));

    await one.store.deleteObject(one.at("key"));
    assert.deepEqual(await (await open("delete")).list(), []);
  });

  test("what another process has just deleted is absent, in the server's words", async () => {
    const [one, other] = [await open("deleted"), await open("deleted")];
    await one.put("key", Buffer.from("x"));
    await one.list();
    await other.store.deleteObject(other.at("key"));

    assert.match((await readUntilError(one.store.getObject(one.at("key")))).error.message, absenceWords);
  });

  test("what another process has just replaced and cleared away is read as it is now", async () => {
    const [one, other] = [await open("replaced"), await open("replaced")];
    await one.put("key", Buffer.from("first"));
    await one.list();
    await other.store.deleteObject(other.at("key"));
    await other.put("key", Buffer.from("second"));

    assert.equal(String(await one.get("key")), "second");
  });

  describe("that only takes", { skip: slowRemovals() }, () => {
    let config: Readonly<Record<string, string>>;

    before(async () => {
      const folder = join(rig.folder, "append-only");
      await mkdir(folder);
      const server = await startRestServer(folder, { appendOnly: true });
      rig.own(server);
      config = { repository: server.repository, initialize: "true" };
    });

    test("has its objects marked as deleted: they are gone for everybody, and can be put again", async () => {
      const location = await rig.open("append", { session: rig.start(), config });
      await location.put("kept", Buffer.from("x"));
      await location.put("key", Buffer.from("first"));
      await location.store.deleteObject(location.at("key"));

      const other = await rig.open("append", { session: rig.start(), config });
      assert.deepEqual(await other.list(), ["kept"]);
      assert.equal(await other.exists("key"), false);
      await other.put("key", Buffer.from("second"));
      assert.equal(String(await other.get("key")), "second");
    });

    test("has its volumes marked as deleted, so that none is restored", async () => {
      const volumeRoot = join(rig.folder, "volumes");
      const volumeId = join(volumeRoot, "pvc");
      await mkdir(volumeId, { recursive: true });
      const snapshotter = rig.start().manager.getVolumeSnapshotter("flotilla.io/restic");
      const { bucket: _, prefix: __, ...keys } = rig.configOf("", config);
      await snapshotter.init({ ...keys, volumeRoot });
      const snapshotId = await snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: {} });

      await snapshotter.deleteSnapshot(snapshotId);
      const request = { snapshotId, volumeType: "folder", volumeAz: "", iops: undefined };
      const error = await failureOf(snapshotter.createVolumeFromSnapshot(request));
      assert.equal(error.kind, "not-found");
    });

    test("passes its check, which says that nothing can be removed", async () => {
      const location = await rig.open("append", { session: rig.start(), config });
      const findings = await Array.fromAsync(location.store.check());

      const removal = findings.find(({ subject }) => subject === "remove");
      assert.equal(removal?.severity, "advice");
      assert.match(removal?.detail ?? "", /nothing can be removed.*403/);
    });

    test("passes its check as the second repository of volumes, too", async () => {
      const repository = join(rig.folder, "own");
      const snapshotter = rig.start().manager.getVolumeSnapshotter("flotilla.io/restic");
      const { bucket: _, prefix: __, ...keys } = rig.configOf("", { repository, initialize: "true" });
      await snapshotter.init({ ...keys, volumeRoot: rig.folder, copyToRepository: config["repository"] ?? "" });
      const findings = await Array.fromAsync(snapshotter.check());

      const ofCopies = findings.filter(({ subject }) => subject === "copyToRepository");
      assert.deepEqual(
        ofCopies.filter(({ severity }) => severity === "failure"),
        [],
      );
      assert.match(ofCopies.map(({ detail }) => detail).join("\n"), /nothing can be removed.*403/);
    });
  });
});
