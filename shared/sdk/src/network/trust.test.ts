import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rootCertificates } from "node:tls";
import { loopbackCertificate } from "../testing/loopback-certificate.ts";
import { certificatesIn, createTrust, trustedCertificates } from "./trust.ts";

const { cert } = loopbackCertificate;
const malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

let folder = "";
let emptyPlaces: Record<string, string> = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "trust-"));
  await mkdir(join(folder, "empty"));
  await writeFile(join(folder, "none.pem"), "");
  emptyPlaces = { SSL_CERT_FILE: join(folder, "none.pem"), SSL_CERT_DIR: join(folder, "empty") };
});

after(async () => {
  await rm(folder, { recursive: true });
});

test("a text without certificates holds none", () => {
  assert.deepEqual(certificatesIn("not PEM"), []);
});

test("what stands between the certificates of a bundle is left out", () => {
  assert.deepEqual(certificatesIn(`# one\n${cert}\n# two\n${malformed}\n`), [cert, malformed]);
});

test("a certificate with blank and indented lines is one", () => {
  assert.deepEqual(certificatesIn(cert.replaceAll("\n", "\r\n\r\n  ")), [cert.trim()]);
});

test("without a system store the runtime's own roots are trusted", () => {
  assert.deepEqual(trustedCertificates({ env: emptyPlaces }), rootCertificates);
});

test("SSL_CERT_FILE replaces the system's file", async () => {
  const SSL_CERT_FILE = join(folder, "own.pem");
  await writeFile(SSL_CERT_FILE, cert);

  assert.deepEqual(trustedCertificates({ env: { ...emptyPlaces, SSL_CERT_FILE } }), [cert]);
});

test("SSL_CERT_DIR names several folders, whose hash links are not read twice", async () => {
  const certs = join(folder, "certs");
  await mkdir(certs);
  await writeFile(join(certs, "a.pem"), cert);
  await symlink("a.pem", join(certs, "12345678.0"));
  const SSL_CERT_DIR = `${join(folder, "missing")}:${certs}`;

  assert.deepEqual(trustedCertificates({ env: { ...emptyPlaces, SSL_CERT_DIR } }), [cert]);
});

test("extra certificates are trusted besides the system's, each once", async () => {
  const SSL_CERT_FILE = join(folder, "twice.pem");
  await writeFile(SSL_CERT_FILE, malformed);
  const env = { ...emptyPlaces, SSL_CERT_FILE };

  assert.deepEqual(trustedCertificates({ env, extraPems: [cert, cert] }), [malformed, cert]);
});

test("a malformed certificate does not cost the trust in the others", () => {
  const trust = createTrust({ env: emptyPlaces, extraPems: [malformed, cert] });

  assert.ok(trust.secureContext());
});

test("the list is parsed once for all who trust the same", () => {
  const first = createTrust({ env: emptyPlaces, extraPems: [cert] });
  const second = createTrust({ env: emptyPlaces, extraPems: [cert] });

  assert.equal(first.secureContext(), second.secureContext());
});
