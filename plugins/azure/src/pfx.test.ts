import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import forge from "node-forge";
import { isKind } from "@flotilla/sdk/plugin";
import { pemOfPfx } from "./pfx.ts";

interface MadePfx {
  readonly pfx: Buffer;
  readonly cert: forge.pki.Certificate;
}

/** A PFX with a certificate, its key and the certificate of its issuer, which stands first. */
function makePfx(password: string, algorithm: "3des" | "aes256"): MadePfx {
  const [own, issuer] = ["own", "issuer"].map((name) => {
    const keys = forge.pki.rsa.generateKeyPair(1024);
    const cert = forge.pki.createCertificate();
    cert.publicKey = keys.publicKey;
    cert.setSubject([{ name: "commonName", value: name }]);
    cert.sign(keys.privateKey, forge.md.sha256.create());
    return { keys, cert };
  });
  assert.ok(own !== undefined && issuer !== undefined);
  const chain = [issuer.cert, own.cert];
  const asn1 = forge.pkcs12.toPkcs12Asn1(own.keys.privateKey, chain, password, { algorithm });
  return { pfx: Buffer.from(forge.asn1.toDer(asn1).getBytes(), "binary"), cert: own.cert };
}

for (const algorithm of ["3des", "aes256"] as const) {
  test(`a PFX under ${algorithm} becomes a PEM whose first certificate is the key's`, () => {
    const { pfx } = makePfx("pass word", algorithm);

    const pem = pemOfPfx(pfx, "pass word", "the file");

    const certificate = new X509Certificate(pem);
    assert.match(certificate.subject, /CN=own/);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(pem)));
    assert.equal(pem.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });
}

test("another password is refused with the line to check", () => {
  const { pfx } = makePfx("pass word", "3des");

  assert.throws(
    () => pemOfPfx(pfx, "other", "the file"),
    (error) => isKind(error, "invalid-config") && /AZURE_CLIENT_CERTIFICATE_PASSWORD/.test(error.message),
  );
});
