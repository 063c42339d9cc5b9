import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { collect, failureOf, inChunks } from "../wire/bytes.ts";
import { owner, startGcsRig } from "./gcs-rig.ts";
import type { LocationOptions } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

function as(name: string, options: LocationOptions = {}): LocationOptions {
  return { ...options, credentials: rig.identity.serviceAccountKey(`${name}@flotilla.iam.gserviceaccount.com`) };
}

/** Whose tokens the requests for a bucket had, of one key where it is given. */
function membersOf(bucket: string, operation: string): readonly string[] {
  return rig.requestsOf(bucket, operation).map(({ headers }) => {
    const token = headers.get("authorization")?.replace("Bearer ", "") ?? "";
    const scopes = ["https://www.googleapis.com/auth/devstorage.read_write"];
    return rig.gcs.tokens.verify(token, { scopes, audiences: [] }).member.split("@")[0] ?? "";
  });
}

describe("several locations in one process", { concurrency: true, timeout: 600_000 }, () => {
  test("two buckets are each reached with their own identity, whichever was opened last", async () => {
    const session = rig.start();
    const one = await rig.open("own-1", as("first", { session }));
    const two = await rig.open("own-2", as("second", { session }));

    for (const location of [one, two, one]) await location.put("contents", Buffer.from(location.bucket));

    assert.deepEqual(membersOf("own-1", "InsertObject"), ["first", "first"]);
    assert.deepEqual(membersOf("own-2", "InsertObject"), ["second"]);
    assert.equal(session.manager.pids.length, 1);
  });

  test("one bucket with two prefixes is reached with the identity of the longest prefix that matches", async () => {
    const session = rig.start();
    const inner = as("inner", { session, config: { prefix: "team/inner" } });
    const { store } = await rig.open("two-prefixes", inner);
    await store.putObject({ bucket: "two-prefixes", key: "team/inner/backups/b" }, inChunks(Buffer.from("x")));
    await rig.open("two-prefixes", as("outer", { session, bucketIs: "there", config: { prefix: "team" } }));

    for (const key of ["team/inner/backups/c", "team/backups/b"])
      await store.putObject({ bucket: "two-prefixes", key }, inChunks(Buffer.from("x")));

    assert.deepEqual(membersOf("two-prefixes", "InsertObject"), ["inner", "inner", "outer"]);
  });

  test("a location that is opened again with another identity uses the new one", async () => {
    const session = rig.start();
    await rig.open("opened-again", as("former", { session }));

    const { store } = await rig.open("opened-again", as("latter", { session, bucketIs: "there" }));
    await store.putObject({ bucket: "opened-again", key: "contents" }, inChunks(Buffer.from("x")));

    assert.deepEqual(membersOf("opened-again", "InsertObject"), ["latter"]);
  });

  test("a location that cannot be opened leaves the others as they were", async () => {
    const session = rig.start();
    const good = await rig.open("still-good", as("first", { session }));
    await good.put("contents", Buffer.from("x"));

    await failureOf(rig.open("never-opened", as("first", { session, config: { memoryLimit: "1" } })));

    assert.deepEqual(await collect(good.store.getObject(good.at("contents"))), Buffer.from("x"));
  });

  test("nothing of a location's credentials reaches the next one, which has the environment's", async () => {
    const path = join(rig.folder, "environment.json");
    await writeFile(path, rig.identity.serviceAccountKey(owner));
    const session = rig.start({ GOOGLE_APPLICATION_CREDENTIALS: path });
    const own = await rig.open("has-own", as("first", { session }));
    const without = await rig.open("has-environment", { session, without: ["credentialsFile"] });

    for (const location of [own, without, own]) await location.put("contents", Buffer.from("x"));

    assert.deepEqual(membersOf("has-own", "InsertObject"), ["first", "first"]);
    assert.deepEqual(membersOf("has-environment", "InsertObject"), ["velero"]);
  });
});
