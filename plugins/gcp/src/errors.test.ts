import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApiText } from "./answers.ts";
import { translateStorageAnswer, translateTokenAnswer, translateUploadAnswer } from "./errors.ts";

const attempt = { action: 'put object "k" in bucket "b"', permission: "storage.objects.create" };
const subject = 'object "k" in bucket "b"';

function apiError(status: number, reason: string, message = "why"): ReturnType<typeof parseApiText> {
  const error = { code: status, message, errors: [{ reason, message, domain: "global" }] };
  return parseApiText(JSON.stringify({ error }), status, "request-1");
}

for (const [status, reason, kind] of [
  [400, "invalid", "invalid-argument"],
  [400, "customerEncryptionKeyIsIncorrect", "invalid-config"],
  [400, "cloudKmsDisabledKey", "invalid-config"],
  [401, "authError", "denied"],
  [403, "forbidden", "denied"],
  [403, "retentionPolicyNotMet", "held"],
  [403, "objectUnderActiveHold", "held"],
  [403, "rateLimitExceeded", "unavailable"],
  [408, "uploadBrokenConnection", "unavailable"],
  [412, "conditionNotMet", "conflict"],
  [412, "orgPolicyConstraintFailed", "denied"],
  [429, "userRateLimitExceeded", "unavailable"],
  [500, "anything", "unavailable"],
  [503, "backendError", "unavailable"],
] as const) {
  test(`${status} ${reason} is ${kind}, and says the code and the request`, () => {
    const error = translateStorageAnswer(apiError(status, reason), attempt);

    assert.equal(error.kind, kind);
    assert.match(
      error.message,
      new RegExp(`^put object "k" in bucket "b": .*\\(${reason}, HTTP ${status}, request request-1\\)`),
    );
  });
}

test("a bucket that makes its requesters pay says so by a code that otherwise means a missing token", () => {
  const message = "Bucket is requester pays bucket but no user project provided.";

  const error = translateStorageAnswer(apiError(400, "required", message), attempt);

  assert.equal(error.kind, "denied");
  assert.match(error.message, /makes its requesters pay.*quota_project_id/);
  assert.match(translateStorageAnswer(apiError(401, "required"), attempt).message, /credentials are refused/);
});

test("a refusal says why in the service's words: who lacks what, or which policy forbids it", () => {
  const message = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1";
  const page = parseApiText("<!doctype html><title>Blocked</title>", 403, undefined);

  for (const reason of ["forbidden", "vpcServiceControls"])
    assert.match(
      translateStorageAnswer(apiError(403, reason, message), attempt).message,
      /access denied: "Request is prohibited.*x1" \(\w+, HTTP 403/,
    );
  assert.doesNotMatch(translateStorageAnswer(page, attempt).message, /Blocked/);
});

test("a 404 is an absent object only where an object was asked for", () => {
  const answer = apiError(404, "notFound", "The specified bucket does not exist.");

  assert.equal(translateStorageAnswer(answer, { ...attempt, subject }).kind, "not-found");
  const error = translateStorageAnswer(answer, attempt);
  assert.equal(error.kind, "invalid-config");
  assert.doesNotMatch(error.message, /not found|does not exist/i);
});

test("an answer in words instead of JSON is judged by its status", () => {
  const error = translateStorageAnswer(parseApiText("<html>Forbidden</html>", 403, undefined), attempt);

  assert.equal(error.kind, "denied");
  assert.match(error.message, /no error code, HTTP 403.*grant storage\.objects\.create/);
});

test("a refused value is corrupt only where the store cites the checksum that was sent", () => {
  const mismatch = apiError(400, "invalid", 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "BBBBBB==".');

  assert.equal(translateUploadAnswer(mismatch, attempt, "AAAAAA==").kind, "corrupt");
  assert.equal(translateUploadAnswer(mismatch, attempt, "CCCCCC==").kind, "invalid-argument");
  assert.equal(translateUploadAnswer(mismatch, attempt, undefined).kind, "invalid-argument");
});

test("an OAuth error is told by its own code", () => {
  const text = JSON.stringify({ error: "invalid_grant", error_description: "Invalid JWT Signature." });

  const error = translateTokenAnswer(parseApiText(text, 400, undefined), attempt);

  assert.equal(error.kind, "denied");
  assert.match(error.message, /the credentials are refused \(invalid_grant, HTTP 400\)/);
});

test("a refusal of the metadata server or of IAM says why, in its words", () => {
  const text =
    "Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied";
  const message = translateTokenAnswer(parseApiText(text, 403, undefined), attempt).message;

  assert.match(message, /access denied: "Unable to generate access token; IAM returned 403.*getAccessToken' denied"/);
});

test("a token endpoint that fails is unavailable", () => {
  assert.equal(translateTokenAnswer(parseApiText("", 503, undefined), attempt).kind, "unavailable");
});

test("no long or many-lined text of an answer reaches a message", () => {
  const { message } = parseApiText(`first line\n${"x".repeat(5000)}`, 400, undefined);

  assert.equal(message, "first line");
  assert.ok(parseApiText("y".repeat(5000), 400, undefined).message.length <= 300);
});
