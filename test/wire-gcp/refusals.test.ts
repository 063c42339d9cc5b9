import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { bytesOf, failureOf, mebibyte } from "../wire/bytes.ts";
import { owner, smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig({
  buckets: [
    { name: "retained", retentionSeconds: 3600 },
    { name: "retained-lost", retentionSeconds: 3600 },
    { name: "paid", isRequesterPays: true },
    { name: "unpaid", isRequesterPays: true },
  ],
});
after(() => rig.close());

describe("a bucket that is missing", { concurrency: true, timeout: 240_000 }, () => {
  for (const [name, use] of [
    ["a listing", (location) => location.list()],
    ["a get", (location) => location.get("contents")],
    ["a look for an object", (location) => location.exists("contents")],
    ["a description", (location) => location.describe("contents")],
    ["a small put", (location) => location.put("contents", Buffer.from("x"))],
    ["a large put", (location) => location.put("contents", bytesOf(20 * mebibyte, "missing"))],
    ["a deletion", (location) => location.store.deleteObject(location.at("contents"))],
  ] as readonly (readonly [string, (location: Awaited<ReturnType<typeof rig.open>>) => Promise<unknown>])[]) {
    test(`${name} says that the bucket is missing and never reads like an absent object`, async () => {
      const location = await rig.open(`missing-${name.replaceAll(" ", "-")}`, { bucketIs: "missing" });

      const error = await failureOf(use(location));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, /bucket is missing.*create the bucket/);
      assert.ok(error.message.includes(location.bucket));
      assert.doesNotMatch(error.message, absenceWords);
    });
  }
});

describe("an object that is absent", { concurrency: true, timeout: 240_000 }, () => {
  test("a get fails in words that the server takes for absence", async () => {
    const location = await rig.open("absent-get");

    const error = await failureOf(location.get("backups/b/b.tar.gz"));

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /object "backups\/b\/b\.tar\.gz" in bucket "absent-get" not found/);
  });

  test("it does not exist, and deleting it succeeds", async () => {
    const location = await rig.open("absent-exists");

    assert.equal(await location.exists("contents"), false);
    await location.store.deleteObject(location.at("contents"));
  });

  test("one of which an upload was begun is absent too", async () => {
    const location = await rig.open("absent-begun");
    await rig.bucket("absent-begun").file("contents").createResumableUpload();

    assert.equal(await location.exists("contents"), false);
    assert.equal((await failureOf(location.get("contents"))).kind, "not-found");
  });

  test("from an identity that may not list Cloud Storage hides it, and the remedy is named", async () => {
    const location = await rig.open("absent-no-list");
    rig.gcs.deny({ permissions: ["storage.objects.list"], bucket: "absent-no-list" });

    const errors = await Promise.all([failureOf(location.exists("contents")), failureOf(location.get("contents"))]);

    for (const error of errors) {
      assert.equal(error.kind, "denied");
      assert.match(error.message, /grant storage\.objects\.get; without storage\.objects\.list/);
      assert.doesNotMatch(error.message, absenceWords);
    }
  });
});

describe("an object that something protects", { concurrency: true, timeout: 240_000 }, () => {
  for (const hold of ["temporaryHold", "eventBasedHold"] as const) {
    test(`one with ${hold} cannot be deleted or replaced, and is described as held`, async () => {
      const bucket = hold.toLowerCase();
      const location = await rig.open(bucket, { config: smallParts });
      await location.put("contents", Buffer.from("held"));
      await rig
        .bucket(bucket)
        .file("contents")
        .setMetadata({ [hold]: true });

      const errors = await Promise.all([
        failureOf(location.store.deleteObject(location.at("contents"))),
        failureOf(location.put("contents", Buffer.from("other"))),
        failureOf(location.put("contents", bytesOf(smallPartBytes + 1, "other"))),
      ]);

      for (const error of errors) {
        assert.equal(error.kind, "held");
        assert.match(error.message, /a hold protects it.*clear the hold/);
        assert.doesNotMatch(error.message, absenceWords);
      }
      assert.match((await location.describe("contents")).hold, /hold/);
      assert.equal((await location.get("contents")).toString(), "held");
    });
  }

  test("one below a retention policy tells until when", async () => {
    const location = await rig.open("retained", { bucketIs: "there" });
    await location.put("contents", Buffer.from("held"));

    const errors = await Promise.all([
      failureOf(location.store.deleteObject(location.at("contents"))),
      failureOf(location.put("contents", Buffer.from("other"))),
    ]);

    for (const error of errors) {
      assert.equal(error.kind, "held");
      assert.match(error.message, /retention/);
    }
    assert.match((await location.describe("contents")).hold, /retained until 20/);
  });

  test("a put whose answer was lost succeeds although its own object is protected by then", async () => {
    const location = await rig.open("retained-lost", { bucketIs: "there" });
    const match = { bucket: "retained-lost", operation: "InsertObject" };
    const lost = rig.gcs.faults.add({ kind: "lose-response" }, match);

    await location.put("lost-answer", Buffer.from("stored once"));

    assert.equal(lost.hits, 1);
    assert.equal((await location.get("lost-answer")).toString(), "stored once");
  });
});

describe("a bucket that makes its requesters pay", { concurrency: true, timeout: 240_000 }, () => {
  test("it serves those whose credentials name a project", async () => {
    const key = JSON.parse(rig.identity.serviceAccountKey(owner)) as Readonly<Record<string, unknown>>;
    const credentials = JSON.stringify({ ...key, quota_project_id: "payer" });
    const location = await rig.open("paid", { bucketIs: "there", credentials, session: rig.start() });
    const large = bytesOf(20 * mebibyte, "paid");

    await location.put("large", large);
    await location.put("small", Buffer.from("x"));

    assert.deepEqual(await location.list(), ["small", "large"]);
    assert.ok((await location.get("large")).equals(large));
    await location.store.deleteObject(location.at("small"));
  });

  test("it tells all others what to do, and never that their credentials are refused", async () => {
    const location = await rig.open("unpaid", { bucketIs: "there" });

    for (const attempt of [
      async () => await location.list(),
      async () => await location.get("small"),
      async () => await location.put("small", Buffer.from("x")),
    ]) {
      const error = await failureOf(attempt());

      assert.equal(error.kind, "denied");
      assert.match(error.message, /makes its requesters pay.*quota_project_id/);
      assert.doesNotMatch(error.message, absenceWords);
    }
  });
});

describe("answers that are none", { concurrency: true, timeout: 240_000 }, () => {
  // A refused read says its reason in words only; where its status is not enough, the metadata tell it.
  for (const [status, code, kind, kindOfRead] of [
    [403, "forbidden", "denied", "denied"],
    [403, "accountDisabled", "denied", "denied"],
    [400, "userProjectMissing", "denied", "denied"],
    [400, "invalidArgument", "invalid-argument", "invalid-argument"],
    [412, "conditionNotMet", "conflict", "conflict"],
    [401, "authError", "denied", "denied"],
  ] as const) {
    test(`${status} ${code} is ${kind} and never an absent object`, async () => {
      const bucket = `answer-${code.toLowerCase()}`;
      const location = await rig.open(bucket);
      rig.gcs.faults.add({ kind: "error", status, code }, { bucket }, { times: 99 });

      const ofRead = await failureOf(location.get("contents"));
      const ofLook = await failureOf(location.exists("contents"));

      assert.equal(ofRead.kind, kindOfRead);
      assert.equal(ofLook.kind, kind);
      assert.match(ofLook.message, new RegExp(`${code}, HTTP ${status}`));
      for (const { message } of [ofRead, ofLook]) assert.doesNotMatch(message, absenceWords);
    });
  }
});
