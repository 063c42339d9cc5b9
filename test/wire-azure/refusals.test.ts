import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { bytesOf, failureOf, mebibyte } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

const rig = await startBlobRig({ account: { containers: [{ name: "immutable", isImmutable: true }] } });
after(() => rig.close());

describe("a container that is missing", { concurrency: true }, () => {
  for (const [name, use] of [
    ["a listing", (location) => location.list()],
    ["a get", (location) => location.get("contents")],
    ["a look for an object", (location) => location.exists("contents")],
    ["a description", (location) => location.describe("contents")],
    ["a small put", (location) => location.put("contents", Buffer.from("x"))],
    ["a large put", (location) => location.put("contents", bytesOf(20 * mebibyte, "missing"))],
    ["a deletion", (location) => location.store.deleteObject(location.at("contents"))],
  ] as readonly (readonly [string, (location: Awaited<ReturnType<typeof rig.open>>) => Promise<unknown>])[]) {
    test(`${name} says that the container is missing and never reads like an absent object`, async () => {
      const location = await rig.open(`missing-${name.replaceAll(" ", "-")}`, { bucketIs: "missing" });

      const error = await failureOf(use(location));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, /container\) is missing.*create the container/);
      assert.ok(error.message.includes(location.bucket));
      assert.doesNotMatch(error.message, absenceWords);
    });
  }
});

describe("an object that is absent", { concurrency: true }, () => {
  test("a get fails in words that the server takes for absence", async () => {
    const location = await rig.open("absent-get");

    const error = await failureOf(location.get("backups/b/b.tar.gz"));

    assert.equal(error.kind, "not-found");
    assert.match(
      error.message,
      /object "backups\/b\/b\.tar\.gz" in bucket "absent-get" not found \(BlobNotFound, HTTP 404/,
    );
  });

  test("it does not exist, and deleting it succeeds", async () => {
    const location = await rig.open("absent-exists");

    assert.equal(await location.exists("contents"), false);
    await location.store.deleteObject(location.at("contents"));
  });

  test("one of which there are only uncommitted blocks is absent too", async () => {
    const location = await rig.open("absent-uncommitted");
    await rig.container("absent-uncommitted").getBlockBlobClient("contents").stageBlock("AAAA", "x", 1);

    assert.equal(await location.exists("contents"), false);
    assert.equal((await failureOf(location.get("contents"))).kind, "not-found");
    await location.store.deleteObject(location.at("contents"));
  });
});

describe("an object that something protects", { concurrency: true }, () => {
  test("one with a legal hold cannot be deleted or replaced, and is described as held", async () => {
    const location = await rig.open("immutable", { bucketIs: "there", config: smallParts });
    await location.put("contents", Buffer.from("held"));
    await rig.container("immutable").getBlobClient("contents").setLegalHold(true);

    const errors = await Promise.all([
      failureOf(location.store.deleteObject(location.at("contents"))),
      failureOf(location.put("contents", Buffer.from("other"))),
      failureOf(location.put("contents", bytesOf(2 * smallPartBytes, "other"))),
    ]);

    assert.deepEqual(
      errors.map(({ kind }) => kind),
      ["held", "held", "held"],
    );
    assert.match((await location.describe("contents")).hold, /legal hold/);
    assert.equal((await location.get("contents")).toString(), "held");
  });

  test("one with an immutability policy tells until when", async () => {
    const location = await rig.open("immutable", { bucketIs: "there" });
    await location.put("until", Buffer.from("held"));
    const expiriesOn = new Date(Date.now() + 86_400_000);
    await rig
      .container("immutable")
      .getBlobClient("until")
      .setImmutabilityPolicy({ policyMode: "Unlocked", expiriesOn });

    const error = await failureOf(location.store.deleteObject(location.at("until")));

    assert.equal(error.kind, "held");
    assert.match((await location.describe("until")).hold, /immutable until 20/);
  });

  test("one in the archive tier says so", async () => {
    const location = await rig.open("archived");
    await location.put("contents", Buffer.from("x"));
    await rig.container("archived").getBlobClient("contents").setAccessTier("Archive");

    const error = await failureOf(location.get("contents"));

    assert.equal(error.kind, "held");
    assert.match(error.message, /archive tier.*rehydrate/);
    assert.doesNotMatch(error.message, absenceWords);
  });
});

describe("answers that are none", { concurrency: true }, () => {
  for (const [status, code, kind] of [
    [403, "AuthorizationFailure", "denied"],
    [403, "AccountIsDisabled", "denied"],
    [403, "KeyBasedAuthenticationNotPermitted", "denied"],
    [404, "ResourceNotFound", "invalid-argument"],
    [409, "ContainerBeingDeleted", "invalid-config"],
    [412, "LeaseIdMissing", "held"],
  ] as const) {
    test(`${status} ${code} is ${kind} and never an absent object`, async () => {
      const bucket = `answer-${code.toLowerCase()}`;
      const location = await rig.open(bucket);
      rig.blob.faults.add({ kind: "error", status, code }, { bucket }, { times: 99 });

      const errors = await Promise.all([failureOf(location.get("contents")), failureOf(location.exists("contents"))]);

      for (const error of errors) {
        assert.equal(error.kind, kind);
        assert.match(error.message, new RegExp(code));
        assert.doesNotMatch(error.message, absenceWords);
      }
    });
  }
});
