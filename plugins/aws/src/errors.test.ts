import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import {
  redirectRegion,
  translateCredentialsError,
  translateEc2Error,
  translateS3Error,
  translateWebIdentityError,
} from "./errors.ts";

const attempt = {
  action: 'read object "k" in bucket "b"',
  permission: "s3:GetObject",
  subject: 'object "k" in bucket "b"',
};

const ownWords = "words of the service";

function serviceError(
  name: string,
  httpStatusCode: number,
  headers: Readonly<Record<string, string>> = {},
  words = ownWords,
): Error {
  const error = Object.assign(new Error(words), {
    $metadata: { httpStatusCode, requestId: "REQ1" },
    $response: { statusCode: httpStatusCode, headers },
  });
  error.name = name;
  return error;
}

function networkError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

const s3Kinds: readonly (readonly [code: string, status: number, kind: PluginErrorKind])[] = [
  ["NoSuchKey", 404, "not-found"],
  ["NotFound", 404, "not-found"],
  ["NoSuchBucket", 404, "invalid-config"],
  ["AccessDenied", 403, "denied"],
  ["Forbidden", 403, "denied"],
  ["InvalidAccessKeyId", 403, "denied"],
  ["SignatureDoesNotMatch", 403, "denied"],
  ["ExpiredToken", 400, "denied"],
  ["RequestTimeTooSkewed", 403, "denied"],
  ["PermanentRedirect", 301, "invalid-config"],
  ["AuthorizationHeaderMalformed", 400, "invalid-config"],
  ["BadDigest", 400, "corrupt"],
  ["XAmzContentChecksumMismatch", 400, "corrupt"],
  ["PreconditionFailed", 412, "conflict"],
  ["NoSuchUpload", 404, "conflict"],
  ["InvalidObjectState", 403, "held"],
  ["SlowDown", 503, "unavailable"],
  ["InternalError", 500, "unavailable"],
  ["Whatever", 502, "unavailable"],
  ["Whatever", 429, "unavailable"],
  ["Unknown", 407, "denied"],
  ["NotImplemented", 501, "unsupported"],
  ["EntityTooLarge", 400, "invalid-argument"],
  ["KMS.DisabledException", 400, "invalid-config"],
  ["Unheard", 400, "invalid-argument"],
  ["SyntaxError", 200, "unavailable"],
];

// The others say it all, or would add words that the server takes for an absent object.
const toldInItsWords = new Set(["AccessDenied", "Forbidden", "KMS.DisabledException", "Unheard"]);

for (const [code, status, kind] of s3Kinds)
  test(`S3's ${code} with HTTP ${status} is ${kind}`, () => {
    const error = translateS3Error(serviceError(code, status), attempt);

    assert.equal(error.kind, kind);
    assert.equal(error.requestId, "REQ1");
    assert.equal(error.message.includes(ownWords), toldInItsWords.has(code));
  });

test("only an absent object is said to be not found", () => {
  for (const [code, status, kind] of s3Kinds) {
    const { message } = translateS3Error(serviceError(code, status), attempt);

    assert.equal(/not found|does not exist|nosuchkey/i.test(message), kind === "not-found", message);
  }
});

test("an absent key is no absent object where nothing can be absent", () => {
  const error = translateS3Error(serviceError("NotFound", 404), { action: "put", permission: "s3:PutObject" });

  assert.equal(error.kind, "invalid-argument");
});

test("a denied read says which permissions to grant", () => {
  const error = translateS3Error(serviceError("AccessDenied", 403, {}, "UnknownError"), {
    ...attempt,
    deniedAdvice: "grant s3:ListBucket too",
  });

  assert.equal(
    error.message,
    'read object "k" in bucket "b": access denied (AccessDenied, HTTP 403, request REQ1); grant s3:GetObject; grant s3:ListBucket too',
  );
});

test("a wrong region is named with the right one", () => {
  const redirect = serviceError("PermanentRedirect", 301, { "x-amz-bucket-region": "eu-west-1" });

  assert.equal(redirectRegion(redirect), "eu-west-1");
  assert.match(translateS3Error(redirect, attempt).message, /set the location's key region to eu-west-1/);
});

test("a region in the body of an error counts as well", () => {
  const error = Object.assign(serviceError("AuthorizationHeaderMalformed", 400), { Region: "eu-central-1" });

  assert.equal(redirectRegion(error), "eu-central-1");
});

test("a region in any other answer is no redirect", () => {
  assert.equal(redirectRegion(serviceError("AccessDenied", 403, { "x-amz-bucket-region": "eu-west-1" })), undefined);
});

for (const code of [
  "ECONNREFUSED",
  "ENOTFOUND",
  "ECONNRESET",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNSPECIFIED",
  "ERR_PROXY_TUNNEL",
])
  test(`${code} is unavailable with a remedy`, () => {
    const error = translateS3Error(networkError(code), attempt);

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, new RegExp(`\\(${code}\\); (check|give)`));
  });

test("a code within several attempts at one connection is found", () => {
  const error = translateS3Error(new AggregateError([networkError("ECONNREFUSED")]), attempt);

  assert.equal(error.code, "ECONNREFUSED");
});

test("a cancelled request keeps the reason of the cancellation", () => {
  const reason = new PluginError("the host is gone", { kind: "unavailable" });
  const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });

  const error = translateS3Error(aborted, { ...attempt, signal: AbortSignal.abort(reason) });

  assert.equal(error, reason);
});

test("no credentials at all is denied, with the ways to give some", () => {
  const none = Object.assign(new Error("none"), { name: "CredentialsProviderError" });

  const error = translateS3Error(none, attempt);

  assert.equal(error.kind, "denied");
  assert.match(error.message, /Secret.*IRSA/);
});

test("an unusable profile is named without its contents", () => {
  const cause = Object.assign(new Error("command printed: hunter2"), { name: "CredentialsProviderError" });

  const error = translateCredentialsError(cause, 'profile "p" of the credentials file "/f"');

  assert.equal(error.kind, "invalid-config");
  assert.match(error.message, /profile "p" of the credentials file "\/f"/);
  assert.doesNotMatch(error.message, /hunter2/);
});

test("an STS that does not answer in time is no fault of the pod's token", () => {
  const late = Object.assign(new Error("late"), { name: "TimeoutError" });

  const { kind, message } = translateWebIdentityError(late, "arn:aws:iam::1:role/r");

  assert.equal(kind, "timeout");
  assert.match(message, /web identity for the role "arn:aws:iam::1:role\/r": no answer in time/);
});

const ec2Kinds: readonly (readonly [code: string, kind: PluginErrorKind])[] = [
  ["InvalidSnapshot.NotFound", "not-found"],
  ["InvalidVolume.NotFound", "not-found"],
  ["InvalidSnapshot.InUse", "held"],
  ["InvalidSnapshotID.Malformed", "invalid-argument"],
  ["SnapshotCreationPerVolumeRateExceeded", "unavailable"],
  ["RequestLimitExceeded", "unavailable"],
  ["AuthFailure", "denied"],
  ["InvalidZone.NotFound", "invalid-config"],
];

for (const [code, kind] of ec2Kinds)
  test(`EC2's ${code} is ${kind}`, () => {
    const snapshot = { action: "delete", permission: "ec2:DeleteSnapshot", subject: 'snapshot "snap-1"' };

    assert.equal(translateEc2Error(serviceError(code, 400), snapshot).kind, kind);
  });

test("an unauthorized EC2 operation says what to grant", () => {
  const error = translateEc2Error(serviceError("UnauthorizedOperation", 403, {}, ""), {
    action: "a",
    permission: "ec2:X",
  });

  assert.equal(error.message, "a: access denied (UnauthorizedOperation, HTTP 403, request REQ1); grant ec2:X");
});

const user = "User: arn:aws:sts::1:assumed-role/velero/s is not authorized to perform:";
const denials: readonly (readonly [words: string, told: string, remedy: string])[] = [
  [
    `${user} ec2:CreateTags on resource: arn:aws:ec2:eu-west-1:1:snapshot/* because no identity-based policy allows it`,
    "because no identity-based policy allows it (Unauth",
    "grant ec2:CreateSnapshot and ec2:CreateTags",
  ],
  [
    `You are not authorized to perform this operation. ${user} ec2:CreateSnapshot on resource: r. Encoded authorization failure message: ${"x".repeat(900)}`,
    `${user} ec2:CreateSnapshot on resource: r (Unauth`,
    "grant ec2:CreateSnapshot and ec2:CreateTags",
  ],
  [
    "You are not authorized. Encoded authorization failure message: abc",
    "Encoded authorization failure message: abc",
    "grant ec2:CreateSnapshot and ec2:CreateTags",
  ],
  [`${user} kms:CreateGrant on resource: key`, "kms:CreateGrant on resource: key", "grant kms:CreateGrant"],
  [
    `${user} ec2:CreateSnapshot on resource: r with an explicit deny in a service control policy`,
    "explicit deny in a service control policy",
    "remove the explicit deny of ec2:CreateSnapshot",
  ],
];

for (const [words, told, remedy] of denials)
  test(`what "${words.slice(0, 80)}…" tells is told, with the remedy: ${remedy}`, () => {
    const error = translateEc2Error(serviceError("UnauthorizedOperation", 403, {}, words), {
      action: "a",
      permission: "ec2:CreateSnapshot and ec2:CreateTags",
    });

    assert.ok(error.message.includes(told), error.message);
    assert.ok(error.message.endsWith(`; ${remedy}`), error.message);
  });

test("a KMS key that S3 may not use is told from a missing permission on the bucket", () => {
  const words = `${user} kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:1:key/k`;

  const { message } = translateS3Error(serviceError("AccessDenied", 403, {}, words), {
    action: "put",
    permission: "s3:PutObject",
  });

  assert.ok(message.endsWith("; grant kms:GenerateDataKey"), message);
});

test("the parameter that EC2 refuses is told on one line, and not without end", () => {
  const words = `Throughput (MiBps) to iops\n ratio of 0.33 is too high. ${"x".repeat(900)}`;

  const { message } = translateEc2Error(serviceError("InvalidParameterValue", 400, {}, words), attempt);

  assert.match(message, /refused: Throughput \(MiBps\) to iops ratio of 0\.33 is too high\. x+… \(Invalid/);
  assert.ok(message.length < 800);
});

test("a page of something before the service is not told", () => {
  const { message } = translateEc2Error(serviceError("Odd", 400, {}, "<html>login</html>"), attempt);

  assert.doesNotMatch(message, /html/);
});
