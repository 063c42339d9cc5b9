import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { bytesOf, collect, collectAll, failureOf, mebibyte } from "../wire/bytes.ts";
import { startCopiesRig } from "./copies-rig.ts";
import { ownerLines } from "./harness.ts";

const rig = await startCopiesRig({
  isCloud: true,
  account: { encryptionScopes: ["own-scope"] },
  other: { encryptionScopes: ["vault"] },
});
after(() => rig.close());

const small = bytesOf(100_000, "small");
const tokens = { lines: ownerLines, config: { useAAD: "true" } };

async function keyFile(name: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, randomBytes(32));
  return path;
}

describe("copies between two accounts", { concurrency: true, timeout: 600_000 }, () => {
  test("with tokens the store reads the source by the same token, without a signature", async () => {
    const copied = await rig.openCopied("tokens", tokens);

    await copied.location.put("contents", small);

    const [copy] = rig.requestsOf(copied.copyBucket, "PutBlobFromUrl");
    assert.match(copy?.headers.get("x-ms-copy-source-authorization") ?? "", /^Bearer /);
    assert.doesNotMatch(copy?.headers.get("x-ms-copy-source") ?? "", /sig=/);
    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(small));
    assert.ok(rig.session.lines.every((line) => !/sig=|Bearer /.test(JSON.stringify(line))));
  });

  test("objects with a customer-provided key are copied with it, and read from the copy with it", async () => {
    const path = await keyFile("both.key");
    const copied = await rig.openCopied("both-keys", { config: { customerKeyEncryptionFile: path } });

    await copied.location.put("contents", small);
    await copied.location.flipBit("contents", 5);

    assert.ok((await copied.location.get("contents")).equals(small));
    const [copy] = rig.requestsOf(copied.copyBucket, "PutBlobFromUrl");
    assert.notEqual(copy?.headers.get("x-ms-source-encryption-key-sha256"), undefined);
    assert.equal(
      copy?.headers.get("x-ms-encryption-key-sha256"),
      copy?.headers.get("x-ms-source-encryption-key-sha256"),
    );
  });

  test("each side has its own key where the target names one", async () => {
    const [own, other] = [await keyFile("own.key"), await keyFile("other.key")];
    const options = { config: { customerKeyEncryptionFile: own }, query: { customerKeyEncryptionFile: other } };
    const copied = await rig.openCopied("two-keys", options);

    await copied.location.put("contents", small);

    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/azure");
    await store.init({ ...(await rig.configsOf("two-keys", options)).copy, customerKeyEncryptionFile: other });
    const object = { bucket: copied.copyBucket, key: "contents" };
    assert.ok((await collect(store.getObject(object))).equals(small));
    const wrong = rig.start().manager.getObjectStore("velero.io/azure");
    await wrong.init({ ...(await rig.configsOf("two-keys", options)).copy, customerKeyEncryptionFile: own });
    assert.match((await failureOf(collect(wrong.getObject(object)))).message, /another customer-provided key/);
  });

  test("a target has its own encryption scope and tier, and the location's scope stays with its account", async () => {
    const query = { encryptionScope: "vault", accessTier: "Cool" };
    const copied = await rig.openCopied("scopes", { query, config: { encryptionScope: "own-scope" } });
    const plain = await rig.openCopied("no-scope", { config: { encryptionScope: "own-scope" } });

    await copied.location.put("contents", small);
    await plain.location.put("contents", small);

    const properties = await copied.copies.getBlobClient("contents").getProperties();
    assert.deepEqual([properties.encryptionScope, properties.accessTier], ["vault", "Cool"]);
    assert.equal((await plain.copies.getBlobClient("contents").getProperties()).encryptionScope, undefined);
  });
});

describe("copies above copyCutoff", { concurrency: true, timeout: 600_000 }, () => {
  const large = bytesOf(5 * mebibyte + 12_345, "above the cutoff");
  const query = { copyCutoff: "1Mi" };

  test("are made of blocks from the source and read back, since the store takes their MD5 as it is given", async () => {
    const copied = await rig.openCopied("blocks", { query });

    await copied.location.put("contents", large);

    const blocks = rig.requestsOf(copied.copyBucket, "PutBlockFromUrl");
    assert.equal(blocks.length, 6);
    assert.ok(rig.requestsOf(copied.copyBucket, "GetBlob").length > 0);
    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(large));
  });

  test("are made again where a block arrives with other bytes", async () => {
    const copied = await rig.openCopied("rotten-once", { query });
    const match = { bucket: copied.copyBucket, operation: "PutBlockFromUrl" };
    const fault = rig.blob.faults.add({ kind: "corrupt-copy", atByte: 1000 }, match, { skip: 3 });

    await copied.location.put("contents", large);

    assert.equal(fault.hits, 1);
    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(large));
  });

  test("are carried over by the plugin when a block always arrives with other bytes", async () => {
    const copied = await rig.openCopied("rotten-blocks", { query });
    const match = { bucket: copied.copyBucket, operation: "PutBlockFromUrl" };
    rig.blob.faults.add({ kind: "corrupt-copy", atByte: 1000 }, match, { times: 999 });

    await copied.location.put("contents", large);

    assert.ok((await rig.toldOf("rotten-blocks-copy", "warn")).some(({ message }) => /arrive damaged/.test(message)));
    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(large));
  });
});

describe("a location with copies", { concurrency: true, timeout: 240_000 }, () => {
  for (const [what, copyTo, pattern] of [
    ["another cloud's URL", "s3://elsewhere", /azblob:\/\//],
    ["its own container", "azblob://mine", /own bucket/],
    ["a key that no target has", "azblob://x?kmsKeyId=y", /kmsKeyId/],
    ["one container twice", "azblob://x?storageAccount=a azblob://x?storageAccount=a", /twice/],
    ["a mode that is none", "azblob://x?storageAccount=a&mode=perhaps", /mode/],
  ] as const) {
    test(`${what} as a target is refused when it is opened`, async () => {
      const error = await failureOf(
        rig.open("mine", { bucketIs: "missing", session: rig.start(), config: { copyTo } }),
      );

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }

  test("a target whose access key is missing does not stand in the way of a restore", async () => {
    const copied = await rig.openCopied("unopened");
    await copied.location.put("contents", small);
    const session = rig.start();
    const { own } = await rig.configsOf("unopened", { query: { storageAccountKeyEnvVar: "MISSING" } });
    const store = session.manager.getObjectStore("velero.io/azure");

    await store.init(own);

    assert.ok((await collect(store.getObject({ bucket: "unopened", key: "contents" }))).equals(small));
    const findings = await collectAll(store.check());
    const failures = findings.filter(({ severity }) => severity === "failure");
    assert.equal(failures.length, 1);
    assert.match(JSON.stringify(failures[0]), /copyTo azblob:\/\/unopened-copy in storage account flotillacopies/);
  });

  test("the check tries each permission on the target and a copy, and leaves nothing", async () => {
    const copied = await rig.openCopied("checked-well", { config: { prefix: "own" }, prefix: "dr" });

    const findings = await collectAll(copied.location.store.check());

    // The rig names an authority beside the key, which the check calls to mind for each container.
    const ofCopy = findings.filter(({ severity, subject }) => subject.startsWith("copyTo ") && severity !== "advice");
    assert.deepEqual(
      ofCopy.map(({ severity, subject }) => `${severity} ${subject.split(": ").at(-1)}`),
      ["blobs/read (list)", "blobs/write", "blobs/read", "signed URL", "blobs/delete", "copy"].map(
        (one) => `ok ${one}`,
      ),
    );
    assert.deepEqual(await rig.blobNames("checked-well"), []);
    assert.deepEqual(await collectAll(copied.copies.listBlobsFlat()), []);
  });

  test("the check tells where the target's store cannot read the location's account", async () => {
    const copied = await rig.openCopied("checked-walls");
    const firewall = { kind: "error", status: 403, code: "CannotVerifyCopySource" } as const;
    rig.blob.faults.add(firewall, { bucket: copied.copyBucket, operation: "PutBlobFromUrl" });

    const findings = await collectAll(copied.location.store.check());

    const finding = findings.find(({ subject }) => subject.endsWith(": copy"));
    assert.equal(finding?.severity, "advice");
    assert.match(JSON.stringify(finding), /pass through the plugin.*firewall/);
  });

  test("the check tries each permission on the target too, where best-effort makes failures advice", async () => {
    const copied = await rig.openCopied("checked", { ...tokens, query: { mode: "best-effort" } });
    await copied.copies.delete();

    const findings = await collectAll(copied.location.store.check());

    const ofCopy = findings.filter(({ subject }) => subject.startsWith("copyTo "));
    assert.deepEqual(
      ofCopy.map(({ severity, subject }) => `${severity} ${subject.split(": ").at(-1)}`),
      ["advice blobs/read (list)"],
    );
    assert.ok(findings.every(({ severity }) => severity !== "failure"));
  });
});
