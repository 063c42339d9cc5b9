import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { bytesOf, collect, failureOf } from "../wire/bytes.ts";
import { smallPartBytes, smallParts } from "./blob-rig.ts";
import { startCopiesRig } from "./copies-rig.ts";
import type { Copied } from "./copies-rig.ts";

const rig = await startCopiesRig();
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");
const refusal = { kind: "error", status: 403, code: "AuthorizationPermissionMismatch" } as const;
const throttle = { kind: "error", status: 503, code: "ServerBusy" } as const;

async function copyOf({ copies }: Copied, key = "contents"): Promise<Buffer> {
  return await copies.getBlobClient(key).downloadToBuffer();
}

describe("the copy of an object that is put", { concurrency: true, timeout: 600_000 }, () => {
  test("a required copy that is refused fails the put, names the target and says that the object is stored", async () => {
    const copied = await rig.openCopied("required");
    rig.blob.faults.add(refusal, { bucket: copied.copyBucket, method: "PUT" }, { times: 99 });

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /stored, but not copied to azblob:\/\/required-copy in storage account flotillacopies/);
    assert.match(error.message, /Storage Blob Data Contributor/);
    assert.ok((await copied.location.get("contents")).equals(small));
  });

  test("a best-effort copy that is refused is one warning that says how to make it", async () => {
    const copied = await rig.openCopied("best-effort", { query: { mode: "best-effort" } });
    rig.blob.faults.add(refusal, { bucket: copied.copyBucket, method: "PUT" }, { times: 99 });

    await copied.location.put("contents", small);

    const [warning, ...more] = await rig.toldOf("best-effort", "warn");
    assert.match(warning?.message ?? "", /flotilla backup copy/);
    assert.equal(more.length, 0);
    assert.equal(await copied.copies.getBlobClient("contents").exists(), false);
  });

  test("bytes that change on their way are refused by the store, and the copy is made again", async () => {
    const copied = await rig.openCopied("flip-once");
    const match = { bucket: copied.copyBucket, operation: "PutBlobFromUrl" };
    const fault = rig.blob.faults.add({ kind: "corrupt-copy", atByte: 77 }, match);

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 1);
    assert.ok((await copyOf(copied)).equals(small));
  });

  test("bytes that always change on the store's way are carried over by the plugin, with a warning", async () => {
    const copied = await rig.openCopied("flip-always");
    const match = { bucket: copied.copyBucket, operation: "PutBlobFromUrl" };
    rig.blob.faults.add({ kind: "corrupt-copy", atByte: 77 }, match, { times: 99 });

    await copied.location.put("contents", small);

    assert.ok((await copyOf(copied)).equals(small));
    assert.ok(
      (await rig.toldOf("flip-always-copy", "warn")).some(({ message }) => /pass through the plugin/.test(message)),
    );
  });

  test("a throttled store is asked again until it takes the copy", async () => {
    const copied = await rig.openCopied("throttled");
    const match = { bucket: copied.copyBucket, operation: "PutBlobFromUrl" };
    const fault = rig.blob.faults.add(throttle, match, { times: 8 });

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 8);
    assert.ok((await copyOf(copied)).equals(small));
  });

  for (const [name, bytes] of [
    ["empty", Buffer.alloc(0)],
    ["small", small],
    ["large", large],
  ] as const) {
    test(`the ${name} object is copied by one request, with the MD5 that the store compares`, async () => {
      const copied = await rig.openCopied(`one-${name}`, { config: smallParts });

      await copied.location.put("backups/a/contents", bytes);

      const key = "backups/a/contents";
      assert.ok((await copyOf(copied, key)).equals(bytes));
      const { contentMD5 = Buffer.alloc(0) } = await copied.copies.getBlobClient(key).getProperties();
      assert.deepEqual(Buffer.from(contentMD5), createHash("md5").update(bytes).digest());
      const requests = rig.requestsOf(copied.copyBucket);
      assert.deepEqual(
        requests.map(({ operation }) => operation),
        ["PutBlobFromUrl", "GetBlobProperties"],
      );
      assert.notEqual(requests[0]?.headers.get("x-ms-source-content-md5"), undefined);
      assert.notEqual(requests[0]?.headers.get("x-ms-source-if-match"), undefined);
    });
  }

  test("a put replaces the copy of what was there before", async () => {
    const copied = await rig.openCopied("replaced");
    await copied.location.put("contents", bytesOf(10, "former"));

    await copied.location.put("contents", small);

    assert.ok((await copyOf(copied)).equals(small));
  });

  test("a target's prefix takes the place of the location's", async () => {
    const copied = await rig.openCopied("prefixed", { prefix: "dr/cluster", config: { prefix: "velero" } });

    await copied.location.put("velero/backups/a/contents", small);

    assert.ok((await copyOf(copied, "dr/cluster/backups/a/contents")).equals(small));
  });

  test("what the store of the copy may not read from the other is carried over by the plugin", async () => {
    const copied = await rig.openCopied("firewall");
    const firewall = { kind: "error", status: 403, code: "CannotVerifyCopySource" } as const;
    const fault = rig.blob.faults.add(firewall, { bucket: copied.copyBucket, operation: "PutBlobFromUrl" });

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 1);
    assert.ok((await copyOf(copied)).equals(small));
    assert.ok(
      (await rig.toldOf("firewall-copy", "info")).some(({ message }) => /pass through the plugin/.test(message)),
    );
  });

  test("a deletion takes the copy with it", async () => {
    const copied = await rig.openCopied("deleted");
    await copied.location.put("contents", small);

    await copied.location.store.deleteObject(copied.location.at("contents"));

    assert.equal(await copied.copies.getBlobClient("contents").exists(), false);
    assert.equal(await copied.location.exists("contents"), false);
  });

  test("a copy that cannot be deleted keeps the object, so that a second try finds both", async () => {
    const copied = await rig.openCopied("kept");
    await copied.location.put("contents", small);
    rig.blob.faults.add(refusal, { bucket: copied.copyBucket, method: "DELETE" });

    const error = await failureOf(copied.location.store.deleteObject(copied.location.at("contents")));

    assert.match(error.message, /kept-copy/);
    assert.ok((await copied.location.get("contents")).equals(small));
    await copied.location.store.deleteObject(copied.location.at("contents"));
    assert.equal(await copied.copies.getBlobClient("contents").exists(), false);
  });

  test("the container of the copies is a location of its own", async () => {
    const copied = await rig.openCopied("standalone");
    await copied.location.put("backups/a/contents", large);
    const { copy } = await rig.configsOf("standalone");
    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/azure");
    await store.init(copy);

    const bucket = copied.copyBucket;
    assert.deepEqual(await store.listObjects({ bucket, prefix: "backups/" }), ["backups/a/contents"]);
    assert.ok((await collect(store.getObject({ bucket, key: "backups/a/contents" }))).equals(large));
  });
});

describe(
  "an object that the location has lost or that is damaged there",
  { concurrency: true, timeout: 240_000 },
  () => {
    for (const [name, bytes] of [
      ["small", small],
      ["large", large],
    ] as const) {
      test(`a ${name} object with a flipped bit comes from its copy, byte for byte, with a warning`, async () => {
        const copied = await rig.openCopied(`rotten-${name}`, { config: smallParts });
        await copied.location.put("contents", bytes);
        await copied.location.flipBit("contents", bytes.length - 7);

        assert.ok((await copied.location.get("contents")).equals(bytes));
        // The log comes by another pipe than the bytes.
        const [warning] = await rig.toldOf(`rotten-${name}`, "warn");
        assert.match(`${warning?.message}`, new RegExp(`rotten-${name}-copy in storage account flotillacopies`));
      });
    }

    test("an object that is gone comes from its copy, and its name stays taken", async () => {
      const copied = await rig.openCopied("gone");
      await copied.location.put("contents", small);
      await rig.container("gone").deleteBlob("contents");

      assert.equal(await copied.location.exists("contents"), true);
      assert.ok((await copied.location.get("contents")).equals(small));
    });
  },
);
