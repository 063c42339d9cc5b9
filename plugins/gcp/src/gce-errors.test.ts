import assert from "node:assert/strict";
import { test } from "node:test";
import { isPassing } from "./gce-codes.ts";
import { describeLateFailure, translateGceAnswer } from "./gce-errors.ts";

const attempt = { action: `read disk "d"`, permission: "compute.disks.get", subject: `disk "d"` };
const creating = { action: `create disk "d"`, permission: "compute.disks.create" };

function answer(status: number, code: string, message = "The words."): Parameters<typeof translateGceAnswer>[0] {
  return { status, code, message, requestId: undefined };
}

const meanings = [
  [403, "forbidden", "denied", /access denied: The words\. \(forbidden, HTTP 403\); grant compute\.disks\.get$/],
  [403, "insufficientPermissions", "denied", /scopes/],
  [403, "accessNotConfigured", "denied", /enable compute\.googleapis\.com/],
  [401, "authError", "denied", /credentials are refused/],
  [403, "quotaExceeded", "unavailable", /a quota is used up: The words\..*raise the quota/],
  [403, "rateLimitExceeded", "unavailable", /throttled/],
  [429, "unknownReason", "unavailable", /throttled/],
  [403, "resourceOperationRateExceeded", "unavailable", /no further snapshot of this disk/],
  [400, "resourceInUseByAnotherResource", "held", /something else uses it/],
  [400, "resourceNotReady", "conflict", /not ready yet/],
  [409, "alreadyExists", "conflict", /exists already/],
  [412, "conditionNotMet", "conflict", /a condition is not met: The words\./],
  [400, "invalid", "invalid-argument", /refused: The words\./],
  [503, "backendError", "unavailable", /the service failed/],
] as const;

for (const [status, code, kind, text] of meanings)
  test(`${status} ${code} is ${kind}`, () => {
    const error = translateGceAnswer(answer(status, code), attempt);

    assert.equal(error.kind, kind);
    assert.match(error.message, text);
    assert.equal(error.code, code);
  });

test("only what was named itself is not found; what a creation needs is not", () => {
  assert.equal(translateGceAnswer(answer(404, "notFound"), attempt).kind, "not-found");
  assert.match(translateGceAnswer(answer(404, "notFound"), attempt).message, /^disk "d" not found: The words\./);
  assert.equal(translateGceAnswer(answer(404, "notFound"), creating).kind, "invalid-argument");
  assert.doesNotMatch(translateGceAnswer(answer(404, "notFound", ""), creating).message, /not found/);
});

test("a page that somebody else answers with 404 is no absence", () => {
  assert.notEqual(translateGceAnswer(answer(404, "no error code", "<html>"), attempt).kind, "not-found");
});

test("an operation's failure is told by its code, in capitals as in answers", () => {
  for (const [code, kind] of [
    ["QUOTA_EXCEEDED", "unavailable"],
    ["RESOURCE_NOT_READY", "conflict"],
    ["RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "held"],
    ["PERMISSIONS_ERROR", "denied"],
    ["ZONE_RESOURCE_POOL_EXHAUSTED", "unavailable"],
    ["SOMETHING_ELSE", "unavailable"],
  ] as const) {
    const error = describeLateFailure({ status: "DONE", error: { errors: [{ code, message: "Why." }] } }, creating);

    assert.equal(error?.kind, kind);
    assert.match(error?.message ?? "", new RegExp(`Why\\. \\(${code},`));
  }
});

test("an operation that ended without an error did not fail, and one with a status alone did", () => {
  assert.equal(describeLateFailure({ status: "DONE" }, creating), undefined);
  assert.equal(describeLateFailure({ status: "DONE", httpErrorStatusCode: 503 }, creating)?.kind, "unavailable");
});

test("only what passes within seconds is tried again", () => {
  assert.ok(isPassing("rateLimitExceeded", 403));
  assert.ok(isPassing("backendError", 503));
  assert.ok(isPassing("no error code", 502));
  assert.ok(!isPassing("quotaExceeded", 403));
  assert.ok(!isPassing("resourceOperationRateExceeded", 403));
  assert.ok(!isPassing("forbidden", 403));
});
