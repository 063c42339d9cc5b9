import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

import type { CpkInfo } from "@azure/storage-blob";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { blockIds, collect, readAll } from "./context.ts";
import type { BlobContext } from "./context.ts";

const day = 24 * 3_600_000;

function newKey(): CpkInfo {
  const key = randomBytes(32);
  const encryptionKeySha256 = createHash("sha256").update(key).digest("base64");
  return { encryptionKey: key.toString("base64"), encryptionKeySha256, encryptionAlgorithm: "AES256" };
}

/** Snapshots, versions, encryption, immutability. */
export const protectionProbes: readonly Probe<BlobContext>[] = [
  {
    name: "a snapshot keeps the bytes of its time",
    run: async (store) => {
      const blob = await store.put("first");
      const { snapshot = "" } = await blob.createSnapshot();
      await blob.upload("second", 6);

      const kept = blob.withSnapshot(snapshot);

      assert.deepEqual([await readAll(kept), await readAll(blob)], ["first", "second"]);
    },
  },
  {
    name: "a blob with snapshots is deleted only together with them",
    run: async (store) => {
      const blob = await store.put("x");
      await blob.createSnapshot();

      await expectFailure(blob.delete(), "SnapshotsPresent", 409);
      await blob.delete({ deleteSnapshots: "include" });

      assert.equal(await blob.exists(), false);
    },
  },
  {
    name: "snapshots are listed before their blob",
    run: async (store) => {
      const container = await store.newContainer();
      const blob = container.getBlockBlobClient("x");
      await blob.upload("x", 1);
      const { snapshot } = await blob.createSnapshot();

      const found = await collect(container.listBlobsFlat({ includeSnapshots: true }));

      assert.deepEqual(
        found.map((one) => one.snapshot || undefined),
        [snapshot, undefined],
      );
    },
  },
  {
    name: "an overwritten blob stays as a version",
    run: async (store) => {
      const blob = (await store.versionedContainer()).getBlockBlobClient(store.name());
      const { versionId = "" } = await blob.upload("first", 5);
      await blob.upload("second", 6);

      assert.equal(await readAll(blob), "second");
      assert.equal((await blob.withVersion(versionId).downloadToBuffer()).toString(), "first");
    },
  },
  {
    name: "a deleted blob stays as a version",
    run: async (store) => {
      const blob = (await store.versionedContainer()).getBlockBlobClient(store.name());
      const { versionId = "" } = await blob.upload("first", 5);

      await blob.delete();

      assert.equal(await blob.exists(), false);
      assert.equal((await blob.withVersion(versionId).downloadToBuffer()).toString(), "first");
    },
  },
  {
    name: "versions are listed, and the current one says so",
    run: async (store) => {
      const container = await store.newContainer(store.target.versioned);
      const blob = container.getBlockBlobClient("x");
      const { versionId: first } = await blob.upload("first", 5);
      const { versionId: second } = await blob.upload("second", 6);

      const found = await collect(container.listBlobsFlat({ includeVersions: true }));

      assert.deepEqual(
        found.map((one) => [one.versionId, one.isCurrentVersion ?? false]),
        [
          [first, false],
          [second, true],
        ],
      );
    },
  },
  {
    name: "the current version is not deleted by its id",
    run: async (store) => {
      const blob = (await store.versionedContainer()).getBlockBlobClient(store.name());
      const { versionId = "" } = await blob.upload("x", 1);

      await expectFailure(blob.withVersion(versionId).delete(), "OperationNotAllowedOnRootBlob", 403);
    },
  },
  {
    name: "a blob with a customer's key is read with that key",
    run: async (store) => {
      const customerProvidedKey = newKey();
      const blob = await store.blob();

      await blob.upload("secret", 6, { customerProvidedKey });
      const found = await blob.getProperties({ customerProvidedKey });

      assert.equal(found.encryptionKeySha256, customerProvidedKey.encryptionKeySha256);
      assert.equal((await blob.downloadToBuffer(0, undefined, { customerProvidedKey })).toString(), "secret");
    },
  },
  {
    name: "a blob with a customer's key is not read without it or with another",
    run: async (store) => {
      const blob = await store.blob();
      await blob.upload("secret", 6, { customerProvidedKey: newKey() });

      await expectFailure(blob.download(), "BlobUsesCustomerSpecifiedEncryption", 409);
      const other = blob.download(0, undefined, { customerProvidedKey: newKey() });
      await expectFailure(other, "BlobCustomerSpecifiedEncryptionMismatch", 409);
    },
  },
  {
    name: "blocks with a customer's key are committed with that key",
    run: async (store) => {
      const customerProvidedKey = newKey();
      const blob = await store.blob();
      const ids = blockIds(1);
      await blob.stageBlock(ids[0] ?? "", "secret", 6, { customerProvidedKey });

      await expectFailure(blob.commitBlockList(ids), "BlobUsesCustomerSpecifiedEncryption", 409);
      await blob.commitBlockList(ids, { customerProvidedKey });

      assert.equal((await blob.downloadToBuffer(0, undefined, { customerProvidedKey })).toString(), "secret");
    },
  },
  {
    name: "an encryption scope is told again",
    run: async (store) => {
      const { encryptionScope } = store.target;
      const blob = await store.blob();

      const put = await blob.upload("x", 1, { encryptionScope });
      const found = await blob.getProperties();

      assert.deepEqual([put.encryptionScope, found.encryptionScope], [encryptionScope, encryptionScope]);
    },
  },
  {
    name: "an unknown encryption scope is refused",
    run: async (store) => {
      await assert.rejects(store.put("x", { encryptionScope: "no-such-scope" }));
    },
  },
  {
    name: "a container's scope is that of its blobs",
    run: async (store) => {
      const { encryptionScope } = store.target;
      const container = store.service.getContainerClient(store.name());
      await container.create({
        containerEncryptionScope: { defaultEncryptionScope: encryptionScope, preventEncryptionScopeOverride: true },
      });
      const blob = container.getBlockBlobClient("x");

      await blob.upload("x", 1);

      assert.equal((await blob.getProperties()).encryptionScope, encryptionScope);
    },
  },
  {
    name: "a version under a policy is not deleted before its time",
    run: async (store) => {
      const blob = (await store.immutableContainer()).getBlockBlobClient(store.name());
      const { versionId = "" } = await blob.upload("first", 5);
      const expiriesOn = new Date(Date.now() + day);
      await blob.setImmutabilityPolicy({ expiriesOn, policyMode: "Unlocked" });
      await blob.upload("second", 6);

      const found = await blob.withVersion(versionId).getProperties();

      assert.equal(found.immutabilityPolicyMode?.toLowerCase(), "unlocked");
      await expectFailure(blob.withVersion(versionId).delete(), "BlobImmutableDueToPolicy", 409);
    },
  },
  {
    name: "an unlocked policy is removed, a locked one is not",
    run: async (store) => {
      const container = await store.immutableContainer();
      const [soft, hard] = [container.getBlockBlobClient(store.name()), container.getBlockBlobClient(store.name())];
      const expiriesOn = new Date(Date.now() + day);
      for (const blob of [soft, hard]) await blob.upload("x", 1);
      await soft.setImmutabilityPolicy({ expiriesOn, policyMode: "Unlocked" });
      await hard.setImmutabilityPolicy({ expiriesOn, policyMode: "Locked" });

      await soft.deleteImmutabilityPolicy();

      assert.equal((await soft.getProperties()).immutabilityPolicyMode, undefined);
      await assert.rejects(hard.deleteImmutabilityPolicy());
    },
  },
  {
    name: "a legal hold keeps a version until it is taken back",
    run: async (store) => {
      const blob = (await store.immutableContainer()).getBlockBlobClient(store.name());
      const { versionId = "" } = await blob.upload("first", 5);
      await blob.setLegalHold(true);
      await blob.upload("second", 6);
      const version = blob.withVersion(versionId);

      await expectFailure(version.delete(), "BlobImmutableDueToLegalHold", 409);
      await version.setLegalHold(false);
      await version.delete();

      await expectFailure(version.getProperties(), "BlobNotFound", 404);
    },
  },
];
