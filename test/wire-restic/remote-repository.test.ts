import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { readUntilError } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { skip, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";
import { startRestServer } from "./rest-server.ts";

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
});
