import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { bytesOf, collect, collectAll, failureOf, inChunks } from "../wire/bytes.ts";
import { startCopiesRig } from "./copies-rig.ts";

const keyOf = (location: string): string =>
  `projects/flotilla/locations/${location}/keyRings/velero/cryptoKeys/backups`;
const rig = await startCopiesRig({ kmsKeys: [keyOf("us-central1"), keyOf("europe-west1")] });
after(() => rig.close());

const small = bytesOf(100_000, "small");
const copier = "copier@flotilla.iam.gserviceaccount.com";
rig.identity.directory.addServiceAccount({ email: copier });

async function keyFile(name: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, randomBytes(32));
  return path;
}

describe("copies between two buckets", { concurrency: true, timeout: 600_000 }, () => {
  test("objects with a customer-supplied key are copied with it, and read from the copy with it", async () => {
    const path = await keyFile("both.key");
    const copied = await rig.openCopied("both-keys", { config: { customerKeyEncryptionFile: path } });

    await copied.location.put("contents", small);
    await copied.location.flipBit("contents", 5);

    assert.ok((await copied.location.get("contents")).equals(small));
    const [copy] = rig.requestsOf("both-keys", "RewriteObject");
    const sha256 = copy?.headers.get("x-goog-copy-source-encryption-key-sha256");
    assert.ok(sha256 !== undefined && sha256 === copy?.headers.get("x-goog-encryption-key-sha256"));
  });

  test("each side has its own key where the target names one, also over a copy with a former key", async () => {
    const [own, other, former] = [await keyFile("own.key"), await keyFile("other.key"), await keyFile("former.key")];
    const options = { config: { customerKeyEncryptionFile: own }, query: { customerKeyEncryptionFile: other } };
    const copied = await rig.openCopied("two-keys", { ...options, query: { customerKeyEncryptionFile: former } });
    await copied.location.put("contents", bytesOf(10, "former"));
    const store = rig.start().manager.getObjectStore("velero.io/gcp");
    const { own: config, copy } = await rig.configsOf("two-keys", options);
    await store.init(config);

    await store.putObject(copied.location.at("contents"), inChunks(small));

    const elsewhere = rig.start().manager.getObjectStore("velero.io/gcp");
    await elsewhere.init(copy);
    const object = { bucket: copied.copyBucket, key: "contents" };
    assert.ok((await collect(elsewhere.getObject(object))).equals(small));
    const wrong = rig.start().manager.getObjectStore("velero.io/gcp");
    await wrong.init({ ...copy, customerKeyEncryptionFile: own });
    assert.match((await failureOf(collect(wrong.getObject(object)))).message, /another customer-supplied key/);
  });

  test("a target has its own KMS key and class, and the location's key stays with its own bucket", async () => {
    const config = { kmsKeyName: keyOf("us-central1") };
    const query = { kmsKeyName: keyOf("europe-west1"), storageClass: "NEARLINE" };
    const copied = await rig.openCopied("kms", { config, query });
    const plain = await rig.openCopied("kms-plain", { config });

    await copied.location.put("contents", small);
    await plain.location.put("contents", small);

    const [metadata] = await copied.copies.file("contents").getMetadata();
    assert.ok(metadata.kmsKeyName?.startsWith(keyOf("europe-west1")));
    assert.equal(metadata.storageClass, "NEARLINE");
    assert.equal((await plain.copies.file("contents").getMetadata())[0].kmsKeyName, undefined);
  });

  test("a KMS key of the target that may not be used fails the put, and says whom to grant it", async () => {
    const copied = await rig.openCopied("kms-denied", { query: { kmsKeyName: keyOf("asia-east1") } });

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /service agent .*kmsKeyName/);
  });

  test("what the target's own credentials may not read from the location is carried over by the plugin", async () => {
    const credentialsFile = await rig.writeCredentials("copier", rig.identity.serviceAccountKey(copier));
    const copied = await rig.openCopied("other-identity", { query: { credentialsFile } });
    rig.gcs.deny({ permissions: ["storage.*"], member: copier, bucket: "other-identity" });

    await copied.location.put("contents", small);

    assert.ok((await copied.copies.file("contents").download())[0].equals(small));
    const told = await rig.toldOf("other-identity-copy", "info");
    assert.ok(told.some(({ message }) => /pass through the plugin/.test(message)));
  });

  test("with its own credentials, which may read the location, the store itself copies", async () => {
    const credentialsFile = await rig.writeCredentials("reader", rig.identity.serviceAccountKey(copier));
    const copied = await rig.openCopied("reading-identity", { query: { credentialsFile } });

    await copied.location.put("contents", small);

    assert.ok((await copied.copies.file("contents").download())[0].equals(small));
    assert.equal(rig.requestsOf(copied.copyBucket, "InsertObject").length, 0);
  });

  test("a hold on the copy fails the put that would replace it, and says what holds it", async () => {
    const copied = await rig.openCopied("held");
    await copied.location.put("contents", small);
    await copied.copies.file("contents").setMetadata({ temporaryHold: true });

    const error = await failureOf(copied.location.put("contents", bytesOf(10, "other")));

    assert.equal(error.kind, "held");
    assert.ok((await copied.copies.file("contents").download())[0].equals(small));
  });
});

describe("an object that is held", { timeout: 240_000 }, () => {
  test("keeps its copy when it is deleted", async () => {
    const copied = await rig.openCopied("held-own");
    await copied.location.put("contents", small);
    await rig.bucket("held-own").file("contents").setMetadata({ temporaryHold: true });

    const error = await failureOf(copied.location.store.deleteObject(copied.location.at("contents")));

    assert.equal(error.kind, "held");
    assert.ok((await copied.copies.file("contents").download())[0].equals(small));
    assert.equal(rig.requestsOf(copied.copyBucket, "DeleteObject").length, 0);
  });
});

describe("a location with copies", { concurrency: true, timeout: 240_000 }, () => {
  for (const [what, copyTo, pattern] of [
    ["another cloud's URL", "s3://elsewhere", /gs:\/\//],
    ["its own bucket", "gs://mine", /own bucket/],
    ["its own bucket below another prefix", "gs://mine/copies", /own bucket/],
    ["a key that no target has", "gs://x?kmsKeyId=y", /kmsKeyId/],
    ["two keys at once", `gs://x?kmsKeyName=a&customerKeyEncryptionFile=b`, /kmsKeyName/],
    ["one bucket twice", "gs://x gs://x", /twice/],
    ["a mode that is none", "gs://x?mode=perhaps", /mode/],
  ] as const) {
    test(`${what} as a target is refused when it is opened`, async () => {
      const error = await failureOf(
        rig.open("mine", { bucketIs: "missing", session: rig.start(), config: { copyTo } }),
      );

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }

  test("a target whose credentials are missing does not stand in the way of a restore", async () => {
    const copied = await rig.openCopied("unopened");
    await copied.location.put("contents", small);
    const { own } = await rig.configsOf("unopened", { query: { credentialsFile: "/nowhere/at/all.json" } });
    const store = rig.start().manager.getObjectStore("velero.io/gcp");

    await store.init(own);

    assert.ok((await collect(store.getObject({ bucket: "unopened", key: "contents" }))).equals(small));
    const failures = (await collectAll(store.check())).filter(({ severity }) => severity === "failure");
    assert.equal(failures.length, 1);
    assert.match(JSON.stringify(failures[0]), /copyTo gs:\/\/unopened-copy/);
  });

  test("the check tries each permission on the target too, and a copy", async () => {
    const copied = await rig.openCopied("checked");

    const findings = await collectAll(copied.location.store.check());

    const ofCopy = findings.filter(({ subject }) => subject.startsWith("copyTo "));
    assert.deepEqual(
      ofCopy.map(({ severity, subject }) => `${severity} ${subject.split(": ").at(-1)}`),
      [
        "advice storeEndpoint",
        "ok storage.objects.list",
        "ok storage.objects.create",
        "ok storage.objects.get",
        "ok signed URL",
        "ok storage.objects.delete",
        "ok copy",
      ],
    );
    assert.deepEqual(await copied.location.list(), []);
    assert.deepEqual((await copied.copies.getFiles())[0], []);
  });

  test("the check advises against a bucket in the same place and names a key that stays behind", async () => {
    const copied = await rig.openCopied("advised", { config: { kmsKeyName: keyOf("us-central1") } });
    await copied.copies.delete();
    await copied.copies.create({ location: "US-CENTRAL1" });

    const findings = await collectAll(copied.location.store.check());

    const advised = findings.filter(({ severity, subject }) => severity === "advice" && subject.startsWith("copyTo "));
    assert.deepEqual(
      advised.map(({ subject }) => subject.split(": ").at(-1)),
      ["kmsKeyName", "storeEndpoint", "location"],
    );
  });

  test("what a best-effort target lacks is advice", async () => {
    const copied = await rig.openCopied("lenient", { query: { mode: "best-effort" } });
    await copied.copies.delete();

    const findings = await collectAll(copied.location.store.check());

    assert.ok(findings.some(({ severity, subject }) => severity === "advice" && subject.startsWith("copyTo ")));
    assert.ok(findings.every(({ severity }) => severity !== "failure"));
  });
});
