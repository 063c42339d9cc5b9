import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import { PluginError } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import { describeLateFailure, translateArmError } from "./arm-errors.ts";

const attempt = { action: 'create snapshot "s"', permission: "Microsoft.Compute/snapshots/write" };
const reading = { action: 'read disk "d"', permission: "Microsoft.Compute/disks/read", subject: 'disk "d"' };

function refusal(statusCode: number, code?: string, message = ""): RestError {
  const request = createPipelineRequest({ url: "https://arm.example/" });
  const headers = createHttpHeaders({ "x-ms-request-id": "r-1" });
  return new RestError(message, {
    statusCode,
    ...(code === undefined ? {} : { code }),
    request,
    response: { status: statusCode, headers, request },
  });
}

const meanings: readonly (readonly [status: number, code: string | undefined, kind: PluginErrorKind, text: RegExp])[] =
  [
    [403, "AuthorizationFailed", "denied", /access denied.*grant Microsoft\.Compute\/snapshots\/write$/],
    [403, "LinkedAuthorizationFailed", "denied", /grant/],
    [403, "RequestDisallowedByPolicy", "denied", /Azure Policy/],
    [401, "ExpiredAuthenticationToken", "denied", /expired/],
    [401, undefined, "denied", /access denied/],
    [404, "ResourceGroupNotFound", "invalid-config", /resource group is missing.*create the resource group/],
    [404, "SubscriptionNotFound", "invalid-config", /subscription is missing/],
    [404, "NotFound", "invalid-argument", /something that it needs is missing/],
    [409, "MissingSubscriptionRegistration", "invalid-config", /az provider register/],
    [409, "ScopeLocked", "held", /remove the lock/],
    [409, "OperationNotAllowed", "conflict", /does not allow/],
    [409, "Conflict", "conflict", /try again/],
    [409, "QuotaExceeded", "unavailable", /quota/],
    [429, "OperationNotAllowed", "unavailable", /throttled/],
    [429, "TooManyRequests", "unavailable", /throttled/],
    [408, undefined, "unavailable", /failed/],
    [503, undefined, "unavailable", /failed/],
    [400, "InvalidParameter", "invalid-argument", /refused/],
  ];

for (const [status, code, kind, text] of meanings)
  test(`HTTP ${status} with ${code ?? "no code"} is ${kind}`, () => {
    const error = translateArmError(refusal(status, code), attempt);

    assert.equal(error.kind, kind);
    assert.match(error.message, text);
    assert.match(
      error.message,
      new RegExp(`^create snapshot "s": .*${code ?? "no code"}, HTTP ${status}, request r-1`),
    );
  });

for (const code of ["ResourceNotFound", "NotFound"])
  test(`a subject that is absent with ${code} is not found`, () => {
    const error = translateArmError(refusal(404, code), reading);

    assert.equal(error.kind, "not-found");
    assert.match(error.message, /^disk "d" not found \(/);
  });

for (const [title, code, kind] of [
  ["a page that answers 404", undefined, "unavailable"],
  ["a subscription that the identity does not see", "SubscriptionNotFound", "invalid-config"],
] as const)
  test(`${title} does not say that the subject is gone`, () => {
    const { kind: seen, message } = translateArmError(refusal(404, code), reading);

    assert.equal(seen, kind);
    assert.doesNotMatch(message, /not found \(/);
  });

test("a subject whose resource group is missing is not found, and the remedy is the group's", () => {
  const error = translateArmError(refusal(404, "ResourceGroupNotFound"), reading);

  assert.equal(error.kind, "not-found");
  assert.match(error.message, /^disk "d" not found: the resource group is missing .*; create the resource group/);
});

test("ARM's own words are told on one line, and not without end", () => {
  const { message } = translateArmError(
    refusal(400, "InvalidParameter", `zone\n 7   is odd ${"x".repeat(900)}`),
    attempt,
  );

  assert.match(message, /refused: zone 7 is odd x+… \(InvalidParameter/);
  assert.ok(message.length < 600);
});

test("a permission that is missing on another resource is told whole, however long the scopes before it", () => {
  const text = `has permission on scope '${"x".repeat(400)}'; however, it lacks 'Microsoft.Compute/diskEncryptionSets/read'`;

  const { message } = translateArmError(refusal(403, "LinkedAuthorizationFailed", text), attempt);

  assert.match(message, /lacks 'Microsoft\.Compute\/diskEncryptionSets\/read'/);
});

test("what fails later keeps the meaning of its code", () => {
  const failure = { code: "KeyVaultAccessForbidden", message: "no key", status: 200 };

  const { kind, message } = describeLateFailure(failure, attempt);

  assert.equal(kind, "denied");
  assert.match(message, /: no key \(KeyVaultAccessForbidden, HTTP 200\); check the key in Key Vault/);
  assert.equal(describeLateFailure({ ...failure, code: "Odd" }, attempt).kind, "unavailable");
});

test("what was translated already passes unchanged, and an aborted call tells why", () => {
  const known = new PluginError("known", { kind: "held" });
  const reason = new PluginError("gone", { kind: "incomplete" });

  assert.equal(translateArmError(known, attempt), known);
  assert.equal(translateArmError(new Error("x"), { ...attempt, signal: AbortSignal.abort(reason) }), reason);
});

test("a connection that ends within the answer is unavailable", () => {
  const cut = new RestError("aborted", { code: "REQUEST_SEND_ERROR" });

  assert.equal(translateArmError(cut, attempt).kind, "unavailable");
});
