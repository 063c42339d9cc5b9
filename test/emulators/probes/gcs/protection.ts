import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

import type { Probe } from "../probe.ts";
import { jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

function keyHeaders(key: Buffer): Record<string, string> {
  return {
    "x-goog-encryption-algorithm": "AES256",
    "x-goog-encryption-key": key.toString("base64"),
    "x-goog-encryption-key-sha256": createHash("sha256").update(key).digest("base64"),
  };
}

/** Holds, retention and encryption. */
export const protectionProbes: readonly Probe<GcsContext>[] = [
  ...(["temporaryHold", "eventBasedHold"] as const).map((hold): Probe<GcsContext> => ({
    name: `an object under ${hold} is neither deleted nor overwritten until it is released`,
    run: async (context) => {
      const file = await context.put("held");
      await file.setMetadata({ [hold]: true });

      assert.equal(await reasonOf(file.delete()), "403 objectUnderActiveHold");
      assert.equal(await reasonOf(context.put("other", undefined, file.name)), "403 objectUnderActiveHold");
      await file.setMetadata({ [hold]: false });
      await file.delete();
    },
  })),
  {
    name: "a bucket's retention keeps an object from being deleted and overwritten",
    run: async (context) => {
      const bucket = await context.bucket({ retentionPolicy: { retentionPeriod: "3600" } });
      const file = await context.put("kept", bucket);

      const [{ retentionExpirationTime }] = await file.getMetadata();

      assert.ok(Date.parse(String(retentionExpirationTime)) > Date.now() + 3_500_000);
      assert.equal(await reasonOf(file.delete()), "403 retentionPolicyNotMet");
      assert.equal(await reasonOf(context.put("other", bucket, file.name)), "403 retentionPolicyNotMet");
    },
  },
  {
    name: "a bucket's default event-based hold holds what is put",
    run: async (context) => {
      const bucket = await context.bucket({ defaultEventBasedHold: true });
      const file = await context.put("held", bucket);

      assert.equal((await file.getMetadata())[0].eventBasedHold, true);
      assert.equal(await reasonOf(file.delete()), "403 objectUnderActiveHold");
    },
  },
  {
    name: "in a bucket with versions a held object is overwritten, and its generation stays",
    run: async (context) => {
      const bucket = await context.bucket({ versioning: { enabled: true } });
      const file = await context.put("held", bucket);
      await file.setMetadata({ temporaryHold: true });

      await context.put("new", bucket, file.name);

      const [all] = await bucket.getFiles({ versions: true });
      assert.equal(all.length, 2);
    },
  },
  {
    name: "an object encrypted with a customer's key is read with the key",
    run: async (context) => {
      const key = randomBytes(32);
      const file = (await context.shared()).file(context.name(), { encryptionKey: key });

      await file.save("secret", { resumable: false });

      assert.equal((await file.download())[0].toString("utf8"), "secret");
      const [{ customerEncryption }] = await file.getMetadata();
      assert.equal(customerEncryption?.encryptionAlgorithm, "AES256");
    },
  },
  {
    name: "an object encrypted with a customer's key is uploaded in chunks",
    run: async (context) => {
      const headers = keyHeaders(randomBytes(32));
      const { name: bucket } = await context.shared();
      const name = context.name();
      const session = await context.begin(bucket, name, { headers });

      await context.chunk(session, "0-5/6", Buffer.from("secret"), headers);

      const path = `/storage/v1/b/${bucket}/o/${name}?alt=media`;
      assert.equal((await context.send("GET", path, { headers })).body.toString("utf8"), "secret");
    },
  },
  {
    name: "an object encrypted with a customer's key is read neither without nor with another",
    run: async (context) => {
      const bucket = await context.shared();
      const file = bucket.file(context.name(), { encryptionKey: randomBytes(32) });
      await file.save("secret", { resumable: false });
      const path = `/storage/v1/b/${bucket.name}/o/${file.name}?alt=media`;

      const without = await context.send("GET", path);
      const other = await context.send("GET", path, { headers: keyHeaders(randomBytes(32)) });

      assert.equal(without.status, 400);
      assert.match(without.body.toString("utf8"), /encrypted by a customer-supplied encryption key/);
      assert.equal(other.status, 400);
      assert.match(other.body.toString("utf8"), /encryption key is incorrect/);
    },
  },
  {
    name: "metadata of an object with a customer's key come without it, but without hashes",
    run: async (context) => {
      const bucket = await context.shared();
      const file = bucket.file(context.name(), { encryptionKey: randomBytes(32) });
      await file.save("secret", { resumable: false });

      const metadata = jsonOf(await context.send("GET", `/storage/v1/b/${bucket.name}/o/${file.name}`));

      assert.equal(metadata["size"], "6");
      assert.deepEqual([metadata["crc32c"], metadata["md5Hash"]], [undefined, undefined]);
    },
  },
  {
    name: "a customer's key with a wrong hash is refused",
    run: async (context) => {
      const headers = {
        ...keyHeaders(randomBytes(32)),
        "x-goog-encryption-key-sha256": randomBytes(32).toString("base64"),
      };
      const { name } = await context.shared();

      const path = `/upload/storage/v1/b/${name}/o?uploadType=media&name=${context.name()}`;
      const answer = await context.send("POST", path, { headers, body: "x" });

      assert.equal(answer.status, 400);
      assert.match(answer.body.toString("utf8"), /customerEncryptionKeySha256IsInvalid/);
    },
  },
  {
    name: "a customer's key for an object that has none is refused",
    run: async (context) => {
      const file = await context.put("plain");
      const { name } = await context.shared();

      const path = `/storage/v1/b/${name}/o/${file.name}?alt=media`;
      const answer = await context.send("GET", path, { headers: keyHeaders(randomBytes(32)) });

      assert.equal(answer.status, 400);
    },
  },
  {
    name: "an object encrypted with a key of Cloud KMS says with which",
    run: async (context) => {
      const { kmsKey = "projects/p/locations/us/keyRings/r/cryptoKeys/k" } = context.target;
      const file = (await context.shared()).file(context.name(), { kmsKeyName: kmsKey });

      await file.save("x", { resumable: false });

      const [metadata] = await file.getMetadata();
      assert.equal(metadata.kmsKeyName, `${kmsKey}/cryptoKeyVersions/1`);
    },
  },
  {
    name: "a key of Cloud KMS that cannot be used is refused",
    run: async (context) => {
      const kmsKeyName = "projects/p/locations/us/keyRings/r/cryptoKeys/absent";
      const file = (await context.shared()).file(context.name(), { kmsKeyName });

      assert.match(await reasonOf(file.save("x", { resumable: false })), /^(403 forbidden|400 invalid)$/);
    },
  },
];
