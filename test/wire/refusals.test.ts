import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import type { Account } from "@flotilla/test/emulators";

import { absenceWords } from "./absence.ts";
import { bytesOf, failureOf, mebibyte } from "./bytes.ts";
import { owner } from "./harness.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig({ regions: ["us-east-1", "eu-west-1"] });
after(() => rig.close());

/** An account with an access key of its own. */
function accountOf(name: string, rights: Partial<Account> = {}): Account {
  const account = { accessKeyId: `AKIA${name.toUpperCase()}`, secretAccessKey: `${name}-secret`, ...rights };
  rig.accounts.add(account);
  return account;
}

describe("an identity that may not", { concurrency: true }, () => {
  test("a bucket that the key may not use is denied, by name", async () => {
    const account = accountOf("FOREIGN", { buckets: ["another-bucket"] });
    const location = await rig.open("denied-bucket", { account });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /bucket "denied-bucket"/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a denied put names the permission to grant", async () => {
    const account = accountOf("READONLY", { deny: ["s3:PutObject"] });
    const location = await rig.open("denied-put", { account });

    const error = await failureOf(location.put("contents", Buffer.from("x")));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /put object "contents".*s3:PutObject/);
  });

  test("a denied get names the permission to grant and never reads like an absent object", async () => {
    const account = accountOf("WRITEONLY", { deny: ["s3:GetObject"] });
    const location = await rig.open("denied-get", { account });
    await location.put("contents", Buffer.from("x"));

    const error = await failureOf(location.get("contents"));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /s3:GetObject/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a denied look for an object is an error and not an absence", async () => {
    const account = accountOf("BLIND", { deny: ["s3:GetObject"] });
    const location = await rig.open("denied-exists", { account });
    await location.put("contents", Buffer.from("x"));

    const error = await failureOf(location.exists("contents"));

    assert.equal(error.kind, "denied");
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a denied deletion names the permission to grant", async () => {
    const account = accountOf("KEEPER", { deny: ["s3:DeleteObject"] });
    const location = await rig.open("denied-delete", { account });
    await location.put("contents", Buffer.from("x"));

    const error = await failureOf(location.store.deleteObject(location.at("contents")));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /s3:DeleteObject/);
  });

  test("an expired session token is denied and said to be expired", async () => {
    const account = accountOf("EXPIRED", { sessionToken: "an-old-token", expired: true });
    const location = await rig.open("expired-token", { account });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /expired/i);
    assert.doesNotMatch(error.message, /an-old-token/);
  });

  test("a wrong secret is denied, and the message holds neither the secret nor the signature", async () => {
    const account = { ...owner, secretAccessKey: "not-the-secret" };
    const location = await rig.open("bad-secret", { account });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /SignatureDoesNotMatch/);
    assert.doesNotMatch(error.message, /not-the-secret|Signature=/);
  });

  test("an unknown access key is denied, although the store's own text says that it does not exist", async () => {
    const account = { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "anything" };
    const location = await rig.open("unknown-key", { account });

    const error = await failureOf(location.get("contents"));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /InvalidAccessKeyId/);
    assert.doesNotMatch(error.message, absenceWords);
  });
});

describe("a bucket that is not there", { concurrency: true }, () => {
  test("listing it is an error and not an empty list", async () => {
    const location = await rig.open("missing-list", { bucketIs: "missing" });
    const { store, bucket } = location;

    const error = await failureOf(store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }));

    assert.match(error.message, /bucket "missing-list"/);
    assert.doesNotMatch(error.message, absenceWords);
    assert.notEqual(error.kind, "not-found");
  });

  test("reading an object from it does not read like an absent object", async () => {
    const location = await rig.open("missing-get", { bucketIs: "missing" });

    const error = await failureOf(location.get("contents"));

    assert.match(error.message, /bucket "missing-get"/);
    assert.doesNotMatch(error.message, absenceWords);
    assert.notEqual(error.kind, "not-found");
  });

  test("looking for an object in it is an error and not an absence", async () => {
    const location = await rig.open("missing-exists", { bucketIs: "missing" });

    const error = await failureOf(location.exists("contents"));

    assert.match(error.message, /bucket "missing-exists"/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("describing an object in it does not read like an absent object", async () => {
    const location = await rig.open("missing-describe", { bucketIs: "missing" });

    const error = await failureOf(location.describe("contents"));

    assert.doesNotMatch(error.message, absenceWords);
    assert.notEqual(error.kind, "not-found");
  });

  test("a put into it fails and names it, for a small object as for parts", async () => {
    const location = await rig.open("missing-put", { bucketIs: "missing" });

    const errors = [
      await failureOf(location.put("small", Buffer.from("x"))),
      await failureOf(location.put("large", bytesOf(9 * mebibyte, "missing"))),
    ];

    for (const error of errors) assert.match(error.message, /bucket "missing-put"/);
    for (const error of errors) assert.doesNotMatch(error.message, absenceWords);
  });

  test("deleting an object in it is an error", async () => {
    const location = await rig.open("missing-delete", { bucketIs: "missing" });

    const error = await failureOf(location.store.deleteObject(location.at("contents")));

    assert.doesNotMatch(error.message, absenceWords);
  });
});

describe("an object that is not there", { concurrency: true }, () => {
  test("reading it says so in the words that the server looks for", async () => {
    const location = await rig.open("absent-get");

    const error = await failureOf(location.get("backups/b/b.tar.gz"));

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /not found/);
    assert.match(error.message, /backups\/b\/b\.tar\.gz/);
  });

  test("it does not exist, and that is no error", async () => {
    const location = await rig.open("absent-exists");

    assert.equal(await location.exists("contents"), false);
  });

  test("describing it says so", async () => {
    const location = await rig.open("absent-describe");

    assert.equal((await failureOf(location.describe("contents"))).kind, "not-found");
  });
});

describe("a bucket in another region", { concurrency: true }, () => {
  test("a region that the location names wrongly is an error that names the right one", async () => {
    const location = await rig.open("wrong-region", { bucketRegion: "eu-west-1" });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /eu-west-1/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a put to a bucket elsewhere follows the redirect", async () => {
    const location = await rig.open("put-elsewhere", { bucketRegion: "eu-west-1", config: { region: "" } });
    const body = bytesOf(9 * mebibyte, "elsewhere");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
  });

  test("the region is found out without a request at Init, and once only", async () => {
    const config = { region: "" };
    const location = await rig.open("unknown-region", { bucketRegion: "eu-west-1", config });
    const atOpening = rig.requestsOf("unknown-region");

    await location.list();
    await location.list();

    assert.deepEqual(atOpening, []);
    assert.deepEqual(
      rig.requestsOf("unknown-region").map(({ operation, status }) => [operation, status === 200]),
      [
        ["ListObjectsV2", false],
        ["ListObjectsV2", true],
        ["ListObjectsV2", true],
      ],
    );
  });
});
