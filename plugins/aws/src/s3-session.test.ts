import assert from "node:assert/strict";
import { test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { isKind } from "@flotilla/sdk/plugin";
import { collect, startStubServer } from "@flotilla/sdk/testing";
import { contextWith, quietCall, stubSettings } from "./testing/call.ts";
import { openStubBucket } from "./testing/stub-bucket.ts";
import { s3Error } from "./testing/s3-error.ts";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";
import { openConnection } from "./client.ts";
import { isAwsEndpoint, S3Session } from "./s3-session.ts";
import { createSigner } from "./s3-signer.ts";

const noEncryption = { newObject: {}, customerKey: {}, isKeyFileTooLong: false };

function regionOf({ headers, url }: SeenRequest): string {
  return (
    /\/([a-z0-9-]+)\/s3\/aws4_request/.exec(`${String(headers["authorization"])}${decodeURIComponent(url)}`)?.[1] ?? ""
  );
}

/** Answers only what is signed for eu-west-1. */
function onlyIreland(redirect: StubAnswer): (request: SeenRequest) => StubAnswer {
  return (request) => (regionOf(request) === "eu-west-1" ? { body: "content" } : redirect);
}

const redirects: readonly (readonly [name: string, answer: StubAnswer])[] = [
  ["a 301 with the region in a header", s3Error(301, "PermanentRedirect", "", { "x-amz-bucket-region": "eu-west-1" })],
  ["a 307 with the region in a header", s3Error(307, "TemporaryRedirect", "", { "x-amz-bucket-region": "eu-west-1" })],
  ["a 400 with the region in the body", s3Error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")],
];

for (const [name, redirect] of redirects)
  test(`${name} is followed once and remembered`, async (t) => {
    const { driver, server } = await openStubBucket(t, onlyIreland(redirect), { isRegionKnown: false });

    assert.equal((await collect((await driver.read("k", quietCall)).body)).toString(), "content");
    await collect((await driver.read("k", quietCall)).body);

    assert.deepEqual(server.seen.map(regionOf), ["us-east-1", "eu-west-1", "eu-west-1"]);
  });

test("a HEAD, whose answer has no body, is redirected by its header", async (t) => {
  const redirect = { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } };
  const { driver } = await openStubBucket(t, onlyIreland(redirect), { isRegionKnown: false });

  assert.ok(await driver.stat("k", quietCall));
});

test("a configured region is not left; the error names the right one", async (t) => {
  const redirect = s3Error(301, "PermanentRedirect", "", { "x-amz-bucket-region": "eu-west-1" });
  const { driver, server } = await openStubBucket(t, onlyIreland(redirect));

  await assert.rejects(
    driver.read("k", quietCall),
    (error) => isKind(error, "invalid-config") && error.message.includes("set the location's key region to eu-west-1"),
  );
  assert.equal(server.seen.length, 1);
});

test("a redirect back and forth ends in an error", async (t) => {
  const answer = (request: SeenRequest): StubAnswer =>
    s3Error(301, "PermanentRedirect", "", {
      "x-amz-bucket-region": regionOf(request) === "eu-west-1" ? "us-east-1" : "eu-west-1",
    });
  const { driver, server } = await openStubBucket(t, answer, { isRegionKnown: false });

  await assert.rejects(driver.read("k", quietCall), (error) => isKind(error, "invalid-config"));
  assert.equal(server.seen.length, 2);
});

test("over TLS the payload is unsigned, on plain http it is signed", async (t) => {
  const secure = await openStubBucket(t, () => ({}), { scheme: "https" });
  const plain = await openStubBucket(t, () => ({}));

  await secure.driver.put("k", Buffer.from("x"), undefined, quietCall);
  await plain.driver.put("k", Buffer.from("x"), undefined, quietCall);

  assert.equal(secure.server.seen[0]?.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
  assert.match(String(plain.server.seen[0]?.headers["x-amz-content-sha256"]), /^[0-9a-f]{64}$/);
});

test("signing with an unknown region asks for it first, and for the public URL", async (t) => {
  const redirect = { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } };
  const { session, server } = await openStubBucket(t, onlyIreland(redirect), { isRegionKnown: false });
  const { settings } = await openConnection(
    "s3",
    {
      region: undefined,
      endpoint: server.url,
      credentialsFile: undefined,
      profile: undefined,
      caCert: undefined,
      insecureSkipVerify: false,
    },
    contextWith({ AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s" }),
  );
  const publicUrl = new URL("https://public.example");
  const sign = createSigner({ session, settings, forcePathStyle: true, publicUrl, encryption: noEncryption });

  const url = new URL(await sign("k é", 600, quietCall));

  assert.equal(`${url.origin}${url.pathname}`, "https://public.example/b/k%20%C3%A9");
  assert.equal(url.searchParams.get("X-Amz-Expires"), "600");
  assert.match(url.searchParams.get("X-Amz-Credential") ?? "", /eu-west-1/);
  assert.equal(url.searchParams.get("X-Amz-SignedHeaders"), "host");
});

for (const [host, isAws] of [
  ["s3.eu-west-1.amazonaws.com", true],
  ["s3.cn-north-1.amazonaws.com.cn", true],
  ["s3.eusc-de-east-1.amazonaws.eu", true],
  ["amazonaws.com.example", false],
] as const)
  test(`${host} is ${isAws ? "" : "not "}AWS's own`, () => {
    assert.equal(isAwsEndpoint(`https://${host}`), isAws);
  });

const denials: readonly (readonly [title: string, answer: (request: SeenRequest) => StubAnswer, region: string])[] = [
  ["in another region", () => ({ status: 403, headers: { "x-amz-bucket-region": "eu-west-1" } }), "eu-west-1"],
  [
    "after a redirect",
    (request) =>
      regionOf(request) === "eu-west-1"
        ? { status: 403 }
        : { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } },
    "eu-west-1",
  ],
  ["in the guessed region", () => ({ status: 403 }), "us-east-1"],
];

for (const [title, answer, region] of denials)
  test(`signing needs no permission to look at the bucket: denied ${title}`, async (t) => {
    const { session, server } = await openStubBucket(t, answer, { isRegionKnown: false });
    const settings = await stubSettings(server.url);
    const sign = createSigner({
      session,
      settings,
      forcePathStyle: true,
      publicUrl: undefined,
      encryption: noEncryption,
    });

    assert.match(decodeURIComponent(await sign("k", 600, quietCall)), new RegExp(`/${region}/s3/aws4_request`));
    await sign("k", 600, quietCall);
    assert.ok(server.seen.length <= 2);
  });

test("a time to live beyond a week is refused", async (t) => {
  const { session, server } = await openStubBucket(t, () => ({}));
  const settings = await stubSettings(server.url);
  const sign = createSigner({
    session,
    settings,
    forcePathStyle: true,
    publicUrl: undefined,
    encryption: noEncryption,
  });

  await assert.rejects(sign("k", 8 * 86_400, quietCall), (error) => isKind(error, "invalid-argument"));
});

const connection = {
  region: undefined,
  endpoint: undefined,
  credentialsFile: undefined,
  profile: undefined,
  caCert: undefined,
  insecureSkipVerify: false,
};
const keys = { AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s", AWS_CONFIG_FILE: "/absent" };

test("the region starts from AWS_REGION, else us-east-1", async () => {
  const named = await openConnection("s3", connection, contextWith({ ...keys, AWS_REGION: "eu-north-1" }));
  const guessed = await openConnection("s3", connection, contextWith(keys));

  assert.deepEqual([named.settings.region, named.isRegionKnown], ["eu-north-1", false]);
  assert.deepEqual([guessed.settings.region, guessed.isRegionKnown], ["us-east-1", false]);
});

test("the environment's endpoints, retries and modes are honoured, the location's endpoint before them", async () => {
  const env = {
    ...keys,
    AWS_ENDPOINT_URL: "https://all.example",
    AWS_ENDPOINT_URL_S3: "https://s3.example",
    AWS_MAX_ATTEMPTS: "9",
    AWS_RETRY_MODE: "adaptive",
    AWS_USE_FIPS_ENDPOINT: "true",
  };

  const s3 = await openConnection("s3", connection, contextWith(env));
  const ec2 = await openConnection("ec2", connection, contextWith(env));
  const own = await openConnection("s3", { ...connection, endpoint: new URL("http://own.example") }, contextWith(env));

  assert.deepEqual(
    [s3.settings.endpoint, ec2.settings.endpoint, own.settings.endpoint],
    ["https://s3.example", "https://all.example", "http://own.example/"],
  );
  assert.deepEqual(
    [s3.settings.maxAttempts, s3.settings.retryMode, s3.settings.useFipsEndpoint],
    [9, "adaptive", true],
  );
});

test("an endpoint with a path is one path with the key, for requests and in signed URLs", async (t) => {
  const proxy = await startStubServer(t, () => ({}));
  const endpoint = new URL("http://gateway.example/s3/v1/");
  const env = contextWith({ ...keys, HTTP_PROXY: proxy.url.href });
  const { settings } = await openConnection("s3", { ...connection, endpoint }, env);
  const session = new S3Session({ bucket: "bucket", settings, forcePathStyle: false, isRegionKnown: true });
  const sign = createSigner({
    session,
    settings,
    forcePathStyle: false,
    publicUrl: new URL("http://public.example/v1/"),
    encryption: noEncryption,
  });

  await session.run({ action: "put", permission: "s3:PutObject" }, quietCall, async (client, options) => {
    await client.send(new PutObjectCommand({ Bucket: "bucket", Key: "k", Body: Buffer.from("x") }), options);
  });

  assert.equal(proxy.seen[0]?.url, "http://bucket.gateway.example/s3/v1/k?x-id=PutObject");
  assert.match(await sign("k", 600, quietCall), /^http:\/\/bucket\.public\.example\/v1\/k\?/);
});

test("a CA bundle of the environment that cannot be read is named", async () => {
  const env = contextWith({ ...keys, AWS_CA_BUNDLE: "/absent/ca.pem" });

  await assert.rejects(
    openConnection("s3", connection, env),
    (error) => isKind(error, "invalid-config") && error.message.includes("/absent/ca.pem"),
  );
});
