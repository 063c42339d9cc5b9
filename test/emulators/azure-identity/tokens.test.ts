import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { armAudience, storageAudience, TokenAuthority, TokenError } from "./tokens.ts";
import type { TokenProblem } from "./tokens.ts";

const principal = { tenantId: "tenant", objectId: "object", clientId: "client" };

function problemOf(authority: TokenAuthority, token: string, audience = armAudience): TokenProblem | undefined {
  try {
    authority.verify(token, [audience]);
    return undefined;
  } catch (error) {
    if (error instanceof TokenError) return error.problem;
    throw error;
  }
}

describe("tokens of the Azure stand-ins", () => {
  let nowMs = Date.parse("2026-01-01T00:00:00Z");
  const authority = new TokenAuthority({ now: () => new Date(nowMs) });

  test("a token is not accepted for another audience", () => {
    const token = authority.issue(principal, storageAudience);

    assert.equal(problemOf(authority, token), "audience");
  });

  test("a token is not accepted when it has expired", () => {
    const token = authority.issue(principal, armAudience, 60_000);
    nowMs += 60_000;

    assert.equal(problemOf(authority, token), "expired");
    assert.equal(problemOf(authority, authority.issue(principal, armAudience, -1000)), "expired");
  });

  test("a token is not accepted before its time", () => {
    const token = authority.issue(principal, armAudience);
    nowMs -= 60_000;

    assert.equal(problemOf(authority, token), "not-yet-valid");
    nowMs += 60_000;
  });

  test("a token of another authority is not accepted", () => {
    assert.equal(problemOf(authority, new TokenAuthority().issue(principal, armAudience)), "signature");
  });

  test("a token that was changed is not accepted", () => {
    const [head, , signature] = authority.issue(principal, armAudience).split(".");
    const body = Buffer.from(JSON.stringify({ aud: armAudience, tid: "other" })).toString("base64url");

    assert.equal(problemOf(authority, `${head}.${body}.${signature}`), "signature");
  });

  test("a token without a signature is not accepted", () => {
    const [, body] = authority.issue(principal, armAudience).split(".");
    const head = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");

    assert.equal(problemOf(authority, `${head}.${body}.`), "signature");
  });

  for (const token of ["", "secret", "a.b.c", "e30.e30"]) {
    test(`"${token}" is not a token`, () => {
      assert.equal(problemOf(authority, token), "malformed");
    });
  }

  test("a good token tells its principal, with and without the slash of its audience", () => {
    const token = authority.issue(principal, "https://management.azure.com", 60_000);

    const expiresMs = nowMs + 60_000;
    const audience = "https://management.azure.com";
    assert.deepEqual(authority.verify(token, [armAudience]), { principal, audience, expiresMs });
  });
});
