import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import { PluginError } from "@flotilla/sdk/plugin";
import { translateBlobError, translateCredentialsError } from "./errors.ts";
import { blobCodes, entraCodes } from "./service-codes.ts";

const absenceWords = /not found|does not exist|nosuchkey|blobnotfound|objectnotexist/i;
const attempt = {
  action: 'read object "k" in bucket "b"',
  permission: "the role R",
  subject: 'object "k" in bucket "b"',
};

/** What the SDK throws for an answer. */
function answered(statusCode: number, code: string, details: object = {}): RestError {
  const request = createPipelineRequest({ url: "https://a.blob.core.windows.net/b/k?sig=secret-signature" });
  const headers = createHttpHeaders({ "x-ms-error-code": code, "x-ms-request-id": "REQ1" });
  const error = new RestError(`The specified thing does not exist. ${code}`, {
    statusCode,
    code,
    request,
    response: { request, status: statusCode, headers },
  });
  return Object.assign(error, { details });
}

test("only BlobNotFound of a subject is an absence, in words that the server knows", () => {
  const absent = translateBlobError(answered(404, "BlobNotFound"), attempt);

  assert.equal(absent.kind, "not-found");
  assert.equal(absent.message, 'object "k" in bucket "b" not found (BlobNotFound, HTTP 404, request REQ1)');
});

for (const [code, { kind }] of Object.entries(blobCodes)) {
  test(`${code} is ${kind}, and no absence`, () => {
    const error = translateBlobError(answered(400, code), attempt);

    assert.equal(error.kind, kind);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, absenceWords);
    assert.doesNotMatch(error.message, /secret-signature/);
  });
}

for (const [status, kind] of [
  [400, "invalid-argument"],
  [401, "denied"],
  [403, "denied"],
  [404, "invalid-argument"],
  [408, "unavailable"],
  [412, "conflict"],
  [429, "unavailable"],
  [500, "unavailable"],
  [501, "unsupported"],
  [503, "unavailable"],
] as const) {
  test(`a code that nobody knows with HTTP ${status} is ${kind}`, () => {
    const error = translateBlobError(answered(status, "SomethingNew"), attempt);

    assert.equal(error.kind, kind);
    assert.match(error.message, /SomethingNew/);
    assert.doesNotMatch(error.message, absenceWords);
  });
}

test("a refused permission names the role of the attempt", () => {
  const error = translateBlobError(answered(403, "AuthorizationPermissionMismatch"), attempt);

  assert.match(error.message, /; grant the role R$/);
});

test("a version of the API that the store does not know is unsupported: a copy is carried over then", () => {
  const error = translateBlobError(answered(400, "InvalidHeaderValue", { HeaderName: "x-ms-version" }), attempt);

  assert.equal(error.kind, "unsupported");
  assert.match(error.message, /does not know the version of the API/);
});

test("a header that is refused names the location's key", () => {
  const error = translateBlobError(answered(400, "InvalidHeaderValue", { HeaderName: "x-ms-access-tier" }), attempt);

  assert.equal(error.kind, "invalid-config");
  assert.match(error.message, /accessTier/);
});

test("a network failure is told with its peer", () => {
  const refused = Object.assign(new RestError("connect", { code: "ECONNREFUSED" }), { hostname: "a.example.com" });

  const error = translateBlobError(refused, attempt);

  assert.equal(error.kind, "unavailable");
  assert.match(error.message, /ECONNREFUSED a\.example\.com/);
});

test("a cancelled call ends with its own reason", () => {
  const reason = new PluginError("the host cancelled the call", { kind: "incomplete" });
  const signal = AbortSignal.abort(reason);

  assert.equal(translateBlobError(new DOMException("aborted", "AbortError"), { ...attempt, signal }), reason);
});

test("an answer that is none of the service's is unavailable", () => {
  const parse = new RestError("Error parsing XML", { code: "PARSE_ERROR", statusCode: 200 });

  const error = translateBlobError(parse, attempt);

  assert.equal(error.kind, "unavailable");
  assert.match(error.message, /not the service's/);
});

const asking = { action: "get a token", permission: "" };

for (const [code, { kind }] of Object.entries(entraCodes)) {
  test(`${code} of Entra is ${kind} with something to do`, () => {
    const cause = Object.assign(new Error(`invalid_client: ${code}: Text. Trace ID: 1`), { status: 401 });

    const error = translateCredentialsError(new Error("wrapped", { cause }), asking);

    assert.equal(error.kind, kind);
    assert.match(error.message, new RegExp(`${code}, HTTP 401\\); \\w`));
    assert.doesNotMatch(error.message, /Trace ID/);
  });
}

for (const status of [429, 500, 503]) {
  test(`a token that is not issued for now (HTTP ${status}) is unavailable`, () => {
    assert.equal(translateCredentialsError(Object.assign(new Error("x"), { status }), asking).kind, "unavailable");
  });
}

test("what Entra refuses under a code that nobody knows is denied, though the SDK has one name for all of it", () => {
  const thrown = Object.assign(new Error("AADSTS99999: something"), { name: "AuthenticationRequiredError" });

  assert.equal(translateCredentialsError(thrown, attempt).kind, "denied");
});

test("a metadata service that fails is unavailable, though the SDK says only that there was no token", () => {
  const thrown = Object.assign(new Error('Response had no "expiresOn" property.'), {
    name: "AuthenticationRequiredError",
  });

  const error = translateCredentialsError(thrown, attempt);

  assert.equal(error.kind, "unavailable");
  assert.match(error.message, /metadata service failed/);
});

test("what failed before anybody was asked is told in its own words", () => {
  const error = translateCredentialsError(new Error("bad decrypt\nat somewhere"), asking);

  assert.equal(error.kind, "denied");
  assert.match(error.message, /\(bad decrypt\)/);
});
