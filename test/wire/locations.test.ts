import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { ObjectStoreClient } from "@flotilla/host";
import type { Account } from "@flotilla/test/emulators";

import { collect, failureOf, inChunks } from "./bytes.ts";
import { startObjectRig } from "./object-rig.ts";
import type { LocationOptions } from "./object-rig.ts";
import type { Session } from "./harness.ts";

const rig = await startObjectRig({ regions: ["us-east-1", "eu-west-1"] });
after(() => rig.close());

function accountOf(name: string, rights: Partial<Account>): Account {
  const account = { accessKeyId: `AKIA${name}`, secretAccessKey: `${name}-secret`, ...rights };
  rig.accounts.add(account);
  return account;
}

/** Opens a location on a bucket that is there already. */
async function openOn(session: Session, bucket: string, options: LocationOptions): Promise<ObjectStoreClient> {
  const store = session.manager.getObjectStore("velero.io/aws");
  await store.init(await rig.configOf(bucket, options));
  return store;
}

/** Whose access key signed the requests for a key. */
function signersOf(bucket: string, key: string): readonly string[] {
  return rig
    .requestsOf(bucket)
    .filter((request) => request.key === key)
    .map((request) => /Credential=([^/]+)/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "");
}

describe("several locations in one process", { concurrency: true }, () => {
  test("two buckets are each reached with their own credentials, whichever was opened last", async () => {
    const first = accountOf("FIRST", { buckets: ["own-1"] });
    const second = accountOf("SECOND", { buckets: ["own-2"] });
    const session = rig.start();
    const one = await rig.open("own-1", { account: first, session });
    const two = await rig.open("own-2", { account: second, session });

    for (const location of [one, two, one]) await location.put("contents", Buffer.from(location.bucket));

    assert.equal((await one.get("contents")).toString(), "own-1");
    assert.equal((await two.get("contents")).toString(), "own-2");
    assert.equal(session.manager.pids.length, 1);
  });

  test("one bucket with two prefixes is reached with the credentials of the longest prefix that matches", async () => {
    const outer = accountOf("OUTER", {});
    const inner = accountOf("INNER", {});
    await rig.createBucket("two-prefixes");
    const session = rig.start();
    const store = await openOn(session, "two-prefixes", { account: inner, config: { prefix: "team/inner" } });
    await openOn(session, "two-prefixes", { account: outer, config: { prefix: "team" } });

    for (const key of ["team/inner/backups/b", "team/backups/b", "team/innermost/b"]) {
      await store.putObject({ bucket: "two-prefixes", key }, inChunks(Buffer.from("x")));
    }

    assert.deepEqual(signersOf("two-prefixes", "team/inner/backups/b"), ["AKIAINNER"]);
    assert.deepEqual(signersOf("two-prefixes", "team/backups/b"), ["AKIAOUTER"]);
    assert.deepEqual(signersOf("two-prefixes", "team/innermost/b"), ["AKIAOUTER"]);
  });

  test("a listing goes to the location whose prefix it lies below", async () => {
    const denied = accountOf("DENIED", { deny: ["s3:ListBucket"] });
    const allowed = accountOf("ALLOWED", {});
    await rig.createBucket("two-listings");
    const session = rig.start();
    const store = await openOn(session, "two-listings", { account: allowed, config: { prefix: "good" } });
    await openOn(session, "two-listings", { account: denied, config: { prefix: "bad" } });

    const bad = await failureOf(store.listObjects({ bucket: "two-listings", prefix: "bad/" }));

    assert.equal(bad.kind, "denied");
    assert.deepEqual(await store.listObjects({ bucket: "two-listings", prefix: "good/" }), []);
  });

  test("two buckets of two regions are each asked in their own region", async () => {
    const session = rig.start();
    const near = await rig.open("near", { session });
    const far = await rig.open("far", { session, bucketRegion: "eu-west-1", config: { region: "eu-west-1" } });

    await Promise.all([near.put("contents", Buffer.from("near")), far.put("contents", Buffer.from("far"))]);

    assert.equal((await near.get("contents")).toString(), "near");
    assert.equal((await far.get("contents")).toString(), "far");
    const regions = ["near", "far"].map((bucket) =>
      rig.requestsOf(bucket, "PutObject").map((put) => put.headers.get("authorization")?.split("/")[2]),
    );
    assert.deepEqual(regions, [["us-east-1"], ["eu-west-1"]]);
  });

  test("a location that is opened again with other credentials uses the new ones", async () => {
    const former = accountOf("FORMER", {});
    const latter = accountOf("LATTER", {});
    await rig.createBucket("opened-again");
    const session = rig.start();
    await openOn(session, "opened-again", { account: former });

    const store = await openOn(session, "opened-again", { account: latter });
    await store.putObject({ bucket: "opened-again", key: "contents" }, inChunks(Buffer.from("x")));

    assert.deepEqual(signersOf("opened-again", "contents"), ["AKIALATTER"]);
  });

  test("a location that cannot be opened leaves the others as they were", async () => {
    const session = rig.start();
    const good = await rig.open("still-good", { session });
    await good.put("contents", Buffer.from("x"));

    await failureOf(rig.open("never-opened", { session, config: { s3ForcePathStyle: "perhaps" } }));

    assert.deepEqual(await collect(good.store.getObject(good.at("contents"))), Buffer.from("x"));
  });
});
