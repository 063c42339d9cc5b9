import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Accounts } from "./accounts.ts";
import { AuthError, findAccount, readClaim, verifyClaim } from "./sigv4.ts";
import type { SignableRequest } from "./sigv4.ts";

// The examples of the S3 API reference: their signatures are published there.
const accounts = new Accounts([
  { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
]);
const now = new Date("2013-05-24T00:00:00Z");
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const host = "examplebucket.s3.amazonaws.com";

function getObject(signature: string, changes: Readonly<Record<string, string>> = {}): SignableRequest {
  const signedHeaders = "host;range;x-amz-content-sha256;x-amz-date";
  const headers = {
    host,
    range: "bytes=0-9",
    "x-amz-content-sha256": emptyHash,
    "x-amz-date": "20130524T000000Z",
    authorization: `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signedHeaders},Signature=${signature}`,
    ...changes,
  };
  return { method: "GET", rawPath: "/test.txt", query: [], headers: new Map(Object.entries(headers)) };
}

function verify(request: SignableRequest, at = now, payloadHash = emptyHash): void {
  const claim = readClaim(request);
  verifyClaim(request, claim, findAccount(claim, accounts, at), { now: at, payloadHash });
}

function reasonOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AuthError) return error.reason;
    throw error;
  }
  return "accepted";
}

const published = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

describe("signature version 4", () => {
  test("the published GET Object example is accepted", () => {
    assert.doesNotThrow(() => verify(getObject(published)));
  });

  test("the published example with parameters in the query is accepted", () => {
    const query = [
      ["max-keys", "2"],
      ["prefix", "J"],
    ] as const;
    const signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    const headers = new Map([
      ["host", host],
      ["x-amz-content-sha256", emptyHash],
      ["x-amz-date", "20130524T000000Z"],
      [
        "authorization",
        `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=${signature}`,
      ],
    ]);

    assert.doesNotThrow(() => verify({ method: "GET", rawPath: "/", query, headers }));
  });

  const signedUrl = (at: Date): void => {
    const query = [
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", scope],
      ["X-Amz-Date", "20130524T000000Z"],
      ["X-Amz-Expires", "86400"],
      ["X-Amz-SignedHeaders", "host"],
      ["X-Amz-Signature", "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"],
    ] as const;
    verify({ method: "GET", rawPath: "/test.txt", query, headers: new Map([["host", host]]) }, at, "UNSIGNED-PAYLOAD");
  };

  test("the published signed URL is accepted until it expires", () => {
    assert.equal(
      reasonOf(() => signedUrl(new Date("2013-05-24T23:59:59Z"))),
      "accepted",
    );
    assert.equal(
      reasonOf(() => signedUrl(new Date("2013-05-25T00:00:01Z"))),
      "expired-url",
    );
    assert.equal(
      reasonOf(() => signedUrl(new Date("2013-05-23T23:00:00Z"))),
      "expired-url",
    );
  });

  const refusals: readonly (readonly [string, string, SignableRequest])[] = [
    ["another signature", "signature", getObject(published.replace("f", "0"))],
    ["a signature that is no hex", "signature", getObject("zz")],
    ["another range", "signature", getObject(published, { range: "bytes=0-10" })],
    ["an x-amz header that is not signed", "unsigned-headers", getObject(published, { "x-amz-acl": "private" })],
    [
      "a session token that the key does not have",
      "wrong-token",
      getObject(published, { "x-amz-security-token": "t" }),
    ],
    ["a scope of another day", "malformed", getObject(published, { "x-amz-date": "20130525T000000Z" })],
    ["another algorithm", "malformed", getObject(published, { authorization: "AWS AKIA:abc" })],
    [
      "a scope without a region",
      "malformed",
      getObject(published, { authorization: "AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host,Signature=0" }),
    ],
  ];
  for (const [what, reason, request] of refusals) {
    test(`${what} is refused`, () =>
      assert.equal(
        reasonOf(() => verify(request)),
        reason,
      ));
  }

  test("a clock that is more than fifteen minutes off is refused", () => {
    assert.equal(
      reasonOf(() => verify(getObject(published), new Date("2013-05-24T00:14:59Z"))),
      "accepted",
    );
    assert.equal(
      reasonOf(() => verify(getObject(published), new Date("2013-05-24T00:15:01Z"))),
      "skewed",
    );
  });

  test("a request without any signature is refused", () => {
    const request = { method: "GET", rawPath: "/", query: [], headers: new Map([["host", host]]) };

    assert.equal(
      reasonOf(() => verify(request)),
      "missing",
    );
  });
});
