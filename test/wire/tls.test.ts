import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { absenceWords } from "./absence.ts";
import { bytesOf, collectAll, failureOf, readUntilError } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

const tls = createThrowawayCertificate("Flotilla test store");
const stranger = createThrowawayCertificate("Another authority");
const rig = await startObjectRig({ tls });
after(() => rig.close());

const root = createThrowawayCertificate("Root");
const intermediate = createThrowawayCertificate("Intermediate", "ec", [], { name: "Root", key: root.key });
const issued = createThrowawayCertificate("Store", "ec", ["localhost"], {
  name: "Intermediate",
  key: intermediate.key,
});
const chained = await startObjectRig({
  tls: { cert: issued.cert + intermediate.cert, key: issued.key },
  seeds: { "that-authority-without-its-root": ["key"], "the-certificate-itself": ["key"], "untrusted-chain": [] },
});
after(() => chained.close());

const trusting = { caCert: tls.cert };

/** Writes a file into the test's folder and answers its path. */
async function fileOf(name: string, content: string | Buffer): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, content);
  return path;
}

describe("a store behind TLS", { concurrency: true }, () => {
  test("a certificate of an unknown authority is refused, and the remedy is named", { timeout: 600_000 }, async () => {
    const location = await rig.open("untrusted");

    const error = await failureOf(location.list());

    assert.match(error.message, /certificate/i);
    assert.match(error.message, /caCert/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a caCert of another authority does not help", { timeout: 600_000 }, async () => {
    const location = await rig.open("wrong-authority", { config: { caCert: stranger.cert } });

    const error = await failureOf(location.list());

    assert.match(error.message, /certificate/i);
  });

  test("a caCert without a certificate opens, as with the official plugin, and is advice of the check", async () => {
    const location = await rig.open("no-certificate", { config: { caCert: "no PEM", insecureSkipTLSVerify: "true" } });

    const findings = await collectAll(location.store.check());

    assert.equal(findings.find(({ subject }) => subject === "caCert")?.severity, "advice");
  });

  test("the location's own caCert is trusted", async () => {
    const location = await rig.open("own-authority", { config: trusting });

    await location.put("contents", Buffer.from("over TLS"));

    assert.equal((await location.get("contents")).toString(), "over TLS");
  });

  test("a certificate of SSL_CERT_FILE is trusted, as in Go", async () => {
    const session = rig.start({ SSL_CERT_FILE: await fileOf("ca.pem", tls.cert) });
    const location = await rig.open("ssl-cert-file", { session });

    assert.deepEqual(await location.list(), []);
  });

  test("a certificate of AWS_CA_BUNDLE is trusted", async () => {
    const session = rig.start({ AWS_CA_BUNDLE: await fileOf("bundle.pem", tls.cert) });
    const location = await rig.open("ca-bundle", { session });

    assert.deepEqual(await location.list(), []);
  });

  test("insecureSkipTLSVerify takes any certificate", async () => {
    const location = await rig.open("insecure", { config: { insecureSkipTLSVerify: "true" } });

    assert.deepEqual(await location.list(), []);
  });

  test("what one location trusts is not trusted by another one of the same process", { timeout: 600_000 }, async () => {
    await (await rig.open("trusting", { config: trusting })).list();
    const location = await rig.open("not-trusting");

    assert.match((await failureOf(location.list())).message, /certificate/i);
  });

  test("bodies are not signed over TLS, which saves a pass over the bytes", async () => {
    const location = await rig.open("unsigned-payload", { config: { ...smallParts, ...trusting } });
    const body = bytesOf(2 * smallPartBytes, "unsigned");

    await location.put("small", Buffer.from("small"));
    await location.put("large", body);

    const bodies = [
      ...rig.requestsOf("unsigned-payload", "PutObject"),
      ...rig.requestsOf("unsigned-payload", "UploadPart"),
    ];
    const hashes = bodies.map(({ headers }) => headers.get("x-amz-content-sha256"));
    assert.deepEqual(hashes, ["UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD"]);
    assert.ok((await location.get("large")).equals(body));
  });
});

describe("a store whose certificate was issued by an intermediate authority", { concurrency: true }, () => {
  for (const [title, caCert] of [
    ["that authority without its root", intermediate.cert],
    ["the certificate itself", issued.cert],
  ] as const)
    test(`is trusted where caCert is ${title}, as in Go`, async () => {
      const bucket = title.replaceAll(/\W+/g, "-");
      const location = await chained.open(bucket, { config: { caCert }, bucketIs: "there" });

      assert.deepEqual(await location.list(), ["key"]);
    });

  test("is refused without any of these", { timeout: 120_000 }, async () => {
    const location = await chained.open("untrusted-chain", { bucketIs: "there" });

    assert.match((await failureOf(location.list())).message, /certificate/i);
  });
});

describe("a customer's own key (SSE-C)", { concurrency: true }, () => {
  const key = bytesOf(32, "customer key");
  const keyMd5 = createHash("md5").update(key).digest("base64");

  test("a key file of less than 32 bytes is a configuration error that names the file", async () => {
    const path = await fileOf("short.key", key.subarray(0, 31));

    const error = await failureOf(rig.open("short-key", { config: { ...trusting, customerKeyEncryptionFile: path } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /short\.key/);
    assert.match(error.message, /32/);
  });

  test("a key file that is missing is a configuration error without the words of an absent object", async () => {
    const config = { ...trusting, customerKeyEncryptionFile: join(rig.folder, "no-such.key") };

    const error = await failureOf(rig.open("no-key", { config }));

    assert.equal(error.kind, "invalid-config");
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("two kinds of keys exclude each other", async () => {
    const path = await fileOf("both.key", key);
    const config = { ...trusting, customerKeyEncryptionFile: path, kmsKeyId: "alias/backups" };

    const error = await failureOf(rig.open("two-keys", { config }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /customerKeyEncryptionFile/);
    assert.match(error.message, /kmsKeyId/);
  });

  for (const [name, content] of [
    ["exact", key],
    ["longer", Buffer.concat([key, Buffer.from("\nand what the official plugin ignores")])],
  ] as const) {
    test(`objects are written, verified and read with the first 32 bytes of a file of ${name} length`, async () => {
      const path = await fileOf(`${name}.key`, content);
      const config = { ...trusting, ...smallParts, customerKeyEncryptionFile: path };
      const location = await rig.open(`sse-c-${name}`, { config });
      const body = bytesOf(2 * smallPartBytes + 1, name);

      await location.put("small", Buffer.from("small"));
      await location.put("large", body);

      assert.equal(await location.exists("small"), true);
      assert.equal((await location.get("small")).toString(), "small");
      assert.ok((await location.get("large")).equals(body));
      const [put] = rig.requestsOf(`sse-c-${name}`, "PutObject");
      assert.equal(put?.headers.get("x-amz-server-side-encryption-customer-key-md5"), keyMd5);
    });
  }

  test("another key cannot read the object", async () => {
    const paths = [await fileOf("one.key", key), await fileOf("two.key", bytesOf(32, "another"))] as const;
    const first = await rig.open("sse-c-other", { config: { ...trusting, customerKeyEncryptionFile: paths[0] } });
    await first.put("contents", Buffer.from("secret"));
    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/aws");
    const config = { ...trusting, customerKeyEncryptionFile: paths[1] };
    await store.init(await rig.configOf("sse-c-other", { config }));

    const { error } = await readUntilError(store.getObject({ bucket: "sse-c-other", key: "contents" }));

    assert.doesNotMatch(error.message, absenceWords);
    assert.match(error.message, /customerKeyEncryption|encrypt/i);
  });

  test("an object under a customer's key that lost a bit is corrupt", async () => {
    const path = await fileOf("flip.key", key);
    const location = await rig.open("sse-c-flip", { config: { ...trusting, customerKeyEncryptionFile: path } });
    await location.put("contents", bytesOf(10_000, "flip"));
    await location.flipBit("contents", 77);

    const { error } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal(error.kind, "corrupt");
  });
});
