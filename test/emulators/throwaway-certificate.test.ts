import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { createSecureContext } from "node:tls";

import { createThrowawayCertificate } from "./throwaway-certificate.ts";

describe("throwaway certificates", () => {
  test("one whose text fills its last line is readable, as are those of other lengths", () => {
    const names = Array.from({ length: 64 }, (_, i) => "n".repeat(i + 1));

    assert.doesNotThrow(() => names.forEach((name) => createSecureContext(createThrowawayCertificate(name))));
  });

  test("one is good for the hosts that were asked for, and for loopback", () => {
    const { cert } = createThrowawayCertificate("stand-in", "ec", ["compute.googleapis.com"]);
    const certificate = new X509Certificate(cert);

    assert.equal(certificate.checkHost("compute.googleapis.com"), "compute.googleapis.com");
    assert.equal(certificate.checkHost("localhost"), undefined);
    assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  });
});
