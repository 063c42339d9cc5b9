import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { absenceWords } from "../wire/absence.ts";
import { bytesOf, collectAll, failureOf, readUntilError } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startCloudRig } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const rig = await startCloudRig({ account: { encryptionScopes: ["vault"] } });
after(() => rig.close());
const stranger = createThrowawayCertificate("Another authority");

const small = Buffer.from("small");
const large = bytesOf(3 * smallPartBytes + 5, "protected");

async function keyFile(name: string, bytes: Buffer): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, bytes);
  return path;
}

describe("TLS", { concurrency: true, timeout: 600_000 }, () => {
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
    const session = rig.start({ SSL_CERT_FILE: await keyFile("ca.pem", Buffer.from(rig.arm.caPem)) });
    const location = await rig.open("ssl-cert-file", { session, without: ["caCert"] });

    assert.deepEqual(await location.list(), []);
  });

  test("insecureSkipTLSVerify takes any certificate", async () => {
    const location = await rig.open("insecure", { without: ["caCert"], config: { insecureSkipTLSVerify: "true" } });

    assert.deepEqual(await location.list(), []);
  });

  test("insecureSkipTLSVerify holds for the identity too", async () => {
    const config = { insecureSkipTLSVerify: "true", useAAD: "true" };
    const location = await rig.open("insecure-token", { without: ["caCert"], lines: ownerLines, config });

    assert.deepEqual(await location.list(), []);
  });
});

describe("customer-provided keys", { concurrency: true, timeout: 600_000 }, () => {
  test("objects of all sizes are written and read with the key, and nobody reads them without", async () => {
    const path = await keyFile("own.key", randomBytes(32));
    const location = await rig.open("cpk", { config: { ...smallParts, customerKeyEncryptionFile: path } });

    await location.put("small", small);
    await location.put("large", large);

    assert.ok((await location.get("small")).equals(small));
    assert.ok((await location.get("large")).equals(large));
    assert.equal(await location.exists("small"), true);
    assert.equal((await location.describe("large")).sizeBytes, BigInt(large.length));
    await assert.rejects(rig.container("cpk").getBlobClient("small").download());
  });

  test("another key is refused with the key to correct and never reads like an absent object", async () => {
    const paths = await Promise.all(["a.key", "b.key"].map((name) => keyFile(name, randomBytes(32))));
    const config = (path = ""): Record<string, string> => ({ customerKeyEncryptionFile: path });
    const first = await rig.open("cpk-other", { config: config(paths[0]) });
    await first.put("contents", small);

    const second = await rig.open("cpk-other", {
      bucketIs: "there",
      session: rig.start(),
      config: config(paths[1]),
    });
    const error = await failureOf(second.get("contents"));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /customerKeyEncryption/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a flipped bit is found under a key as well", async () => {
    const path = await keyFile("flip.key", randomBytes(32));
    const location = await rig.open("cpk-flip", { config: { customerKeyEncryptionFile: path } });
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

      const error = await failureOf(rig.open(`cpk-${name}`, { config: { customerKeyEncryptionFile: path } }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
    });
  }
});

describe("encryption scope, tier and tags", { concurrency: true }, () => {
  test("objects of all sizes have them", async () => {
    const config = { encryptionScope: "vault", accessTier: "Cool", tagging: "team=a b&cost-center=1/2" };
    const location = await rig.open("settings", { config: { ...smallParts, ...config } });
    await location.put("small", small);
    await location.put("large", large);

    for (const name of ["small", "large"]) {
      const blob = rig.container("settings").getBlobClient(name);
      const { encryptionScope, accessTier } = await blob.getProperties();
      assert.deepEqual([encryptionScope, accessTier], ["vault", "Cool"]);
      assert.deepEqual((await blob.getTags()).tags, { team: "a b", "cost-center": "1/2" });
    }
    assert.ok((await location.get("large")).equals(large));
  });

  test("an object without them has none", async () => {
    const location = await rig.open("no-settings");
    await location.put("contents", small);

    const [put] = rig.requestsOf("no-settings", "PutBlob");
    const names = ["x-ms-tags", "x-ms-access-tier", "x-ms-encryption-scope", "x-ms-encryption-key"];
    assert.deepEqual(
      names.filter((name) => put?.headers.has(name) === true),
      [],
    );
  });

  test("an unknown encryption scope is refused", async () => {
    const location = await rig.open("no-scope", { config: { encryptionScope: "nowhere" } });

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /correct the location's key encryptionScope/);
    assert.doesNotMatch(error.message, absenceWords);
  });
});

describe("the check of these keys", { concurrency: true }, () => {
  test("what a customer-provided key costs is advice, and all else is well", async () => {
    const path = await keyFile("long.key", randomBytes(33));
    const location = await rig.open("cpk-check", { config: { customerKeyEncryptionFile: path } });

    const findings = await collectAll(location.store.check());

    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure"),
      [],
    );
    const subjects = findings.filter(({ severity }) => severity === "advice").map(({ subject }) => subject);
    assert.deepEqual(
      subjects.filter((subject) => subject === "customerKeyEncryptionFile"),
      ["customerKeyEncryptionFile", "customerKeyEncryptionFile"],
    );
  });
});
