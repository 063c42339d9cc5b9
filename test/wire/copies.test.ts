import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { HeadObjectCommand } from "@aws-sdk/client-s3";
import type { Account } from "@flotilla/test/emulators";

import { bytesOf, failureOf } from "./bytes.ts";
import { openCopied } from "./copies-rig.ts";
import { credentialsText, owner } from "./harness.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig({ allowSseCustomerOverHttp: true });
after(() => rig.close());

const small = bytesOf(100_000, "copies");
const large = bytesOf(3 * smallPartBytes + 1234, "large copies");
const inParts = { copyCutoff: "5Mi" };

function operationsOf(bucket: string): readonly string[] {
  return rig.requestsOf(bucket).map(({ operation }) => operation);
}

async function writeKey(name: string, letter: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, letter.repeat(32));
  return path;
}

describe("a copy", { concurrency: true }, () => {
  test("of a small object is made by the store in one request, of the very version that was put", async () => {
    const { location, copy, warnings } = await openCopied(rig, "one-request");

    await location.put("backups/a/contents", small);

    assert.ok((await copy.get("backups/a/contents")).equals(small));
    const [request, ...others] = rig.requestsOf("one-request-copy", "CopyObject");
    assert.equal(others.length, 0);
    assert.match(request?.headers.get("x-amz-copy-source-if-match") ?? "", /^"[0-9a-f]{32}"$/);
    assert.equal(request?.headers.get("x-amz-checksum-algorithm"), "CRC32");
    assert.deepEqual(warnings(), []);
  });

  test("has the checksum of the object over all bytes, however the object was uploaded", async () => {
    const { location, copy } = await openCopied(rig, "same-checksum", { config: smallParts });

    await location.put("contents", large);

    const [one, other] = [await location.describe("contents"), await copy.describe("contents")];
    assert.deepEqual(other.checksum, one.checksum);
    assert.equal(other.checksum?.scope, "full-object");
  });

  test("of a larger object is made in parts, with the checksum of the whole, and leaves no upload", async () => {
    const { location, copy } = await openCopied(rig, "in-parts", { query: inParts, config: smallParts });

    await location.put("contents", large);

    assert.ok((await copy.get("contents")).equals(large));
    assert.equal(rig.requestsOf("in-parts-copy", "UploadPartCopy").length, 4);
    assert.deepEqual((await copy.describe("contents")).checksum, (await location.describe("contents")).checksum);
    assert.equal(await rig.countUploads("in-parts-copy"), 0);
  });

  for (const [name, checksumAlgorithm] of [
    ["sha256", "SHA256"],
    ["crc64nvme", "CRC64NVME"],
    ["none", ""],
  ] as const)
    test(`with the checksum ${name} is proved as well, in one request and in parts`, async () => {
      const config = { ...smallParts, checksumAlgorithm };
      const whole = await openCopied(rig, `algorithm-${name}`, { config, copyConfig: { checksumAlgorithm } });
      const parts = await openCopied(rig, `algorithm-${name}-parts`, { config, query: inParts });

      await whole.location.put("contents", large);
      await parts.location.put("contents", large);

      assert.ok((await whole.copy.get("contents")).equals(large));
      assert.ok((await parts.copy.get("contents")).equals(large));
    });

  test("is a location of its own below another prefix", async () => {
    const config = { prefix: "cluster-1" };
    const { location, copy } = await openCopied(rig, "own-prefix", { path: "disaster/cluster-1", config });

    await location.put("cluster-1/backups/b/velero-backup.json", small);

    assert.deepEqual(await copy.list("disaster/cluster-1/"), ["disaster/cluster-1/backups/b/velero-backup.json"]);
    const query = { bucket: copy.bucket, prefix: "disaster/cluster-1/backups/", delimiter: "/" };
    assert.deepEqual(await copy.store.listCommonPrefixes(query), ["disaster/cluster-1/backups/b/"]);
    assert.ok((await copy.get("disaster/cluster-1/backups/b/velero-backup.json")).equals(small));
  });

  test("of every key that an object can have is made", async () => {
    const { location, copy } = await openCopied(rig, "odd-keys");
    const keys = ["a+b c/%2F/d?e#f", "größe/日本語/🙂", 'it\'s "quoted" <&>', "a/./b/../c", "a//b"];

    for (const key of keys) await location.put(key, Buffer.from(key));

    for (const key of keys) assert.equal((await copy.get(key)).toString(), key);
  });

  test("replaces the copy of the object that was replaced", async () => {
    const { location, copy } = await openCopied(rig, "replaced");
    await location.put("contents", small);

    await location.put("contents", Buffer.from("later"));

    assert.equal((await copy.get("contents")).toString(), "later");
  });

  test("to a store elsewhere passes through the plugin, and is proved as well", async () => {
    const elsewhere = await startObjectRig();
    try {
      await elsewhere.createBucket("elsewhere");
      const account = { credentialsFile: await elsewhere.writeCredentials("elsewhere", owner) };
      const target = new URLSearchParams({ s3Url: elsewhere.s3.url, ...account });
      const config = { copyTo: `s3://elsewhere?${target.toString()}`, ...smallParts };
      const location = await rig.open("to-elsewhere", { config });
      const copy = await elsewhere.open("elsewhere", { bucketIs: "there" });

      await location.put("contents", large);

      assert.ok((await copy.get("contents")).equals(large));
      assert.ok(elsewhere.requestsOf("elsewhere", "UploadPart").length > 1);
    } finally {
      await elsewhere.close();
    }
  });
});

describe("keys and accounts of a copy", { concurrency: true }, () => {
  test("the copy is encrypted with the target's KMS key, not with the location's", async () => {
    const key = (region: string): string => `arn:aws:kms:${region}:123456789012:key/k`;
    const query = { kmsKeyId: key("eu-west-1") };
    const { location } = await openCopied(rig, "kms", { query, config: { kmsKeyId: key("us-east-1") } });

    await location.put("contents", small);

    const [one, other] = await Promise.all(
      ["kms", "kms-copy"].map((Bucket) => rig.probe.send(new HeadObjectCommand({ Bucket, Key: "contents" }))),
    );
    assert.deepEqual([one?.SSEKMSKeyId, other?.SSEKMSKeyId], [key("us-east-1"), key("eu-west-1")]);
  });

  test("without a key of its own the copy is encrypted as its bucket says, and read back where records differ", async () => {
    const config = { kmsKeyId: "alias/velero", checksumAlgorithm: "" };
    const { location, copy } = await openCopied(rig, "kms-one-side", { config });

    await location.put("contents", small);

    assert.ok((await copy.get("contents")).equals(small));
    assert.ok(operationsOf("kms-one-side-copy").includes("GetObject"));
  });

  test("a customer's key of each side is used for that side, in one request and in parts", async () => {
    const [here, there] = [await writeKey("key-here", "a"), await writeKey("key-there", "b")];
    const config = { customerKeyEncryptionFile: here, ...smallParts };
    const query = { customerKeyEncryptionFile: there };
    const copyConfig = { customerKeyEncryptionFile: there };
    const one = await openCopied(rig, "customer-key", { config, query, copyConfig });
    const parts = await openCopied(rig, "customer-key-parts", { config, query: { ...query, ...inParts }, copyConfig });

    await one.location.put("contents", small);
    await parts.location.put("contents", large);

    assert.ok((await one.copy.get("contents")).equals(small));
    assert.ok((await parts.copy.get("contents")).equals(large));
  });

  test("a copy of a location with a customer's key is encrypted with it where the target says nothing", async () => {
    const config = { customerKeyEncryptionFile: await writeKey("key-shared", "c") };
    const { location, copy } = await openCopied(rig, "customer-key-shared", { config, copyConfig: config });

    await location.put("contents", small);

    assert.ok((await copy.get("contents")).equals(small));
  });

  test("the copy is made with the target's profile, which may be of another account", async () => {
    const other: Account = { accessKeyId: "AKIAOTHER", secretAccessKey: "other-secret", accountId: "210987654321" };
    rig.accounts.add(other);
    const credentialsFile = join(rig.folder, "two-accounts.ini");
    await writeFile(credentialsFile, credentialsText(owner) + credentialsText(other, "dr"));
    const { location } = await openCopied(rig, "accounts", { query: { profile: "dr" }, config: { credentialsFile } });

    await location.put("contents", small);

    const [copied] = rig.requestsOf("accounts-copy", "CopyObject");
    assert.match(copied?.headers.get("authorization") ?? "", /Credential=AKIAOTHER/);
    const [stored] = rig.requestsOf("accounts", "PutObject");
    assert.match(stored?.headers.get("authorization") ?? "", /Credential=AKIAOWNER/);
  });

  for (const key of ["expectedBucketOwner", "expectedSourceBucketOwner"])
    test(`nothing is copied when ${key} is another than the owner`, async () => {
      const right = await openCopied(rig, `right-${key.toLowerCase()}`, { query: { [key]: "123456789012" } });
      const wrong = await openCopied(rig, `wrong-${key.toLowerCase()}`, { query: { [key]: "999999999999" } });

      await right.location.put("contents", small);
      const error = await failureOf(wrong.location.put("contents", small));

      assert.equal(error.kind, "denied");
      assert.deepEqual(await wrong.copy.list(), []);
    });
});

describe("a location that names copies", { concurrency: true }, () => {
  for (const [name, copyTo, told] of [
    ["its own bucket", "s3://refused/elsewhere", /copyTo: s3:\/\/refused\/elsewhere is the location's own bucket/],
    ["another cloud", "gs://b", /copyTo: target 1 is not of the form s3:\/\/bucket/],
    ["an unknown key", "s3://b?regoin=x", /copyTo: s3:\/\/b: .*regoin \(did you mean region\?\)/],
    ["a cutoff that S3 cannot copy", "s3://b?copyCutoff=6Gi", /s3:\/\/b: copyCutoff: not between 5Mi and 5Gi/],
    ["two keys", "s3://b?kmsKeyId=k&customerKeyEncryptionFile=f", /kmsKeyId and customerKeyEncryptionFile exclude/],
  ] as const)
    test(`is refused with ${name}`, async () => {
      const error = await failureOf(rig.open("refused", { config: { copyTo }, bucketIs: "missing" }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, told);
    });

  test("asks neither place for anything when it is opened", async () => {
    await openCopied(rig, "quiet");

    assert.deepEqual([...operationsOf("quiet"), ...operationsOf("quiet-copy")], []);
  });

  test("makes no request to the copies for what the location itself answers", async () => {
    const { location } = await openCopied(rig, "no-requests");
    await location.put("contents", small);
    const before = operationsOf("no-requests-copy").length;

    await location.get("contents");
    await location.exists("contents");
    await location.list();
    await location.describe("contents");

    assert.equal(operationsOf("no-requests-copy").length, before);
  });
});
