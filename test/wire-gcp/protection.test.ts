import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { absenceWords } from "../wire/absence.ts";
import { bytesOf, collectAll, failureOf, readUntilError } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const kmsKeyName = "projects/flotilla/locations/us/keyRings/velero/cryptoKeys/backups";
const tls = createThrowawayCertificate("Google stand-ins");
const rig = await startGcsRig({ tls, kmsKeys: [kmsKeyName] });
after(() => rig.close());
const stranger = createThrowawayCertificate("Another authority");

const small = Buffer.from("small");
const large = bytesOf(smallPartBytes + 5, "protected");

async function keyFile(name: string, bytes: Buffer): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, bytes);
  return path;
}

describe("TLS", { concurrency: true, timeout: 600_000 }, () => {
  test("a caCert is used: the official plugin passes it over", async () => {
    const location = await rig.open("trusted");

    assert.deepEqual(await location.list(), []);
  });

  test("a certificate of an unknown authority is refused, and the remedy is named", async () => {
    const location = await rig.open("untrusted", { without: ["caCert"] });

    const error = await failureOf(location.list());

    assert.match(error.message, /certificate.*caCert/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a caCert of another authority does not help", async () => {
    const location = await rig.open("wrong-authority", { config: { caCert: stranger.cert } });

    assert.match((await failureOf(location.list())).message, /certificate/);
  });

  test("a certificate of SSL_CERT_FILE is trusted, as in Go", async () => {
    const session = rig.start({ SSL_CERT_FILE: await keyFile("ca.pem", Buffer.from(tls.cert)) });
    const location = await rig.open("ssl-cert-file", { session, without: ["caCert"] });

    assert.deepEqual(await location.list(), []);
  });

  test("insecureSkipTLSVerify takes any certificate", async () => {
    const location = await rig.open("insecure", { without: ["caCert"], config: { insecureSkipTLSVerify: "true" } });

    assert.deepEqual(await location.list(), []);
  });

  test("a proxy of the environment is used", async () => {
    const session = rig.start({ HTTPS_PROXY: "http://127.0.0.1:1" });
    const config = { storeEndpoint: "https://storage.example.invalid" };
    const location = await rig.open("proxied", { session, config });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /127\.0\.0\.1:1/);
  });
});

describe("customer-supplied keys", { concurrency: true, timeout: 600_000 }, () => {
  test("objects of all sizes are written and read with the key, and nobody reads them without", async () => {
    const path = await keyFile("own.key", randomBytes(32));
    const location = await rig.open("csek", { config: { ...smallParts, customerKeyEncryptionFile: path } });

    await location.put("small", small);
    await location.put("large", large);

    assert.ok((await location.get("small")).equals(small));
    assert.ok((await location.get("large")).equals(large));
    assert.equal(await location.exists("small"), true);
    assert.equal((await location.describe("large")).checksum?.algorithm, "crc32c");
    await assert.rejects(rig.bucket("csek").file("small").download());
  });

  for (const [name, hasOther] of [
    ["another key", true],
    ["no key", false],
  ] as const) {
    test(`an object of a customer's key is refused to a location with ${name}, and never reads like an absent one`, async () => {
      const bucket = hasOther ? "csek-other" : "csek-none";
      const paths = await Promise.all(["a", "b"].map((one) => keyFile(`${bucket}-${one}.key`, randomBytes(32))));
      const config = (path = ""): Record<string, string> => ({ customerKeyEncryptionFile: path });
      await (await rig.open(bucket, { config: config(paths[0]) })).put("contents", small);

      const second = await rig.open(bucket, {
        bucketIs: "there",
        session: rig.start(),
        config: hasOther ? config(paths[1]) : {},
      });
      const error = await failureOf(second.get("contents"));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, /customerKeyEncryption key that the object was written with/);
      assert.doesNotMatch(error.message, absenceWords);
    });
  }

  test("a flipped bit is found under a key as well", async () => {
    const path = await keyFile("flip.key", randomBytes(32));
    const location = await rig.open("csek-flip", { config: { customerKeyEncryptionFile: path } });
    await location.put("contents", small);
    await location.flipBit("contents", 2);

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });

  for (const [name, bytes, pattern] of [
    ["short", randomBytes(31), /31 bytes/],
    ["absent", undefined, /absent\.key/],
  ] as const) {
    test(`a key file that is ${name} fails the opening`, async () => {
      const path = bytes === undefined ? "/absent.key" : await keyFile(`${name}.key`, bytes);

      const error = await failureOf(rig.open(`csek-${name}`, { config: { customerKeyEncryptionFile: path } }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }

  test("what a customer-supplied key costs is advice of the check, and all else is well", async () => {
    const path = await keyFile("long.key", randomBytes(33));
    const location = await rig.open("csek-check", { config: { customerKeyEncryptionFile: path } });

    const findings = await collectAll(location.store.check());

    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure"),
      [],
    );
    const subjects = findings.filter(({ severity }) => severity === "advice").map(({ subject }) => subject);
    assert.deepEqual(subjects, ["customerKeyEncryptionFile", "customerKeyEncryptionFile"]);
  });
});

describe("KMS key and storage class", { concurrency: true, timeout: 240_000 }, () => {
  test("objects of all sizes have them", async () => {
    const location = await rig.open("settings", { config: { ...smallParts, kmsKeyName, storageClass: "NEARLINE" } });
    await location.put("small", small);
    await location.put("large", large);

    for (const name of ["small", "large"]) {
      const [metadata] = await rig.bucket("settings").file(name).getMetadata();
      assert.ok(metadata.kmsKeyName?.startsWith(kmsKeyName));
      assert.equal(metadata.storageClass, "NEARLINE");
    }
    assert.ok((await location.get("large")).equals(large));
  });

  test("an object without them has the bucket's", async () => {
    const location = await rig.open("no-settings");
    await location.put("contents", small);

    const [metadata] = await rig.bucket("no-settings").file("contents").getMetadata();

    assert.equal(metadata.kmsKeyName, undefined);
    assert.equal(metadata.storageClass, "STANDARD");
  });

  test("a KMS key that may not be used is denied, with whom to grant what", async () => {
    const location = await rig.open("no-kms", { config: { kmsKeyName: `${kmsKeyName}-other` } });

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /service agent.*kmsKeyName.*Encrypter\/Decrypter/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a KMS key whose name is none is refused with the reason of the store", async () => {
    const location = await rig.open("bad-kms", { config: { kmsKeyName: "my-key" } });

    const error = await failureOf(location.put("contents", small));

    assert.match(error.message, /Cloud KMS key name: my-key/);
  });
});
