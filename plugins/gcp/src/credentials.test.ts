import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import { startStubServer } from "@flotilla/sdk/testing";
import type { SeenRequest, StubAnswer, StubServer } from "@flotilla/sdk/testing";
import { readCredentialsFile } from "./credentials-file.ts";
import { createTokenSource } from "./credentials.ts";
import { identityOf } from "./identity.ts";
import { createTransport } from "./transport.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = {
  type: "service_account",
  client_email: "velero@p.iam.gserviceaccount.com",
  private_key_id: "1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  token_uri: "http://oauth.invalid/token",
};
const audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/p";
const federated = {
  type: "external_account",
  audience,
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "http://sts.invalid/v1/token",
  credential_source: { url: "http://subject.invalid/token" },
};
const target = "http://iam.invalid/v1/projects/-/serviceAccounts/target@p.iam.gserviceaccount.com:generateAccessToken";

/** Answers as a proxy would for each of the hosts, which are nowhere else. */
function answer({ url, body }: SeenRequest): StubAnswer {
  const type = { "content-type": "application/json" };
  if (url.startsWith("http://subject.invalid/")) return { body: "the-subject-token" };
  if (url === "http://aws.invalid/zone") return { body: "us-east-2b" };
  if (url === "http://aws.invalid/role") return { body: "velero" };
  if (url === "http://aws.invalid/role/velero")
    return { headers: type, body: JSON.stringify({ AccessKeyId: "AKIA", SecretAccessKey: "s", Token: "t" }) };
  if (url.startsWith("http://iam.invalid/")) {
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    return { headers: type, body: JSON.stringify({ accessToken: "impersonated", expireTime }) };
  }
  const token = url.startsWith("http://sts.invalid/") ? `sts of ${body.includes("the-subject-token")}` : "own";
  return { headers: type, body: JSON.stringify({ access_token: token, expires_in: 3600, token_type: "Bearer" }) };
}

async function tokenOf(t: TestContext, fields: Readonly<Record<string, unknown>>): Promise<[string, StubServer]> {
  const proxy = await startStubServer(t, answer);
  const env = { HTTP_PROXY: proxy.url.href };
  const transport = createTransport({ env, caCert: undefined, insecureSkipVerify: false });
  t.after(() => transport.destroy());
  const identity = identityOf({ path: "f", fields, description: "the file" });
  const options = { transport, env, universeDomain: "googleapis.com" };
  const source = createTokenSource(identity, ["https://scope.example"], options);
  assert.ok(source);
  return [await source.token(new AbortController().signal), proxy];
}

for (const [name, fields, token, hosts] of [
  ["a service account's, at its own token_uri", key, "own", ["oauth.invalid"]],
  ["a federated workload's", federated, "sts of true", ["subject.invalid", "sts.invalid"]],
  [
    "a federated workload's that impersonates",
    { ...federated, service_account_impersonation_url: target },
    "impersonated",
    ["subject.invalid", "sts.invalid", "iam.invalid"],
  ],
  [
    "an impersonated account's",
    { type: "impersonated_service_account", service_account_impersonation_url: target, source_credentials: key },
    "impersonated",
    ["oauth.invalid", "iam.invalid"],
  ],
] as const) {
  test(`every request for a token goes over the location's connections: ${name}`, async (t) => {
    const [got, { seen }] = await tokenOf(t, fields);

    assert.equal(got, token);
    assert.deepEqual(
      seen.map(({ url }) => new URL(url).hostname),
      hosts,
    );
  });
}

test("an impersonated token is asked for by the source's, with the scope, the delegates and the lifetime", async (t) => {
  const [, { seen }] = await tokenOf(t, {
    type: "impersonated_service_account",
    service_account_impersonation_url: target,
    source_credentials: key,
    delegates: ["projects/-/serviceAccounts/between@p.iam.gserviceaccount.com"],
  });

  const [, request] = seen;
  assert.equal(request?.headers["authorization"], "Bearer own");
  assert.deepEqual(JSON.parse(String(request?.body)), {
    scope: ["https://scope.example"],
    lifetime: "3600s",
    delegates: ["projects/-/serviceAccounts/between@p.iam.gserviceaccount.com"],
  });
});

test("AWS is asked who it is where Google's library for Go asks, though the credentials do not say where", async (t) => {
  const [, { seen }] = await tokenOf(t, {
    ...federated,
    subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
    credential_source: {
      environment_id: "aws1",
      region_url: "http://aws.invalid/zone",
      url: "http://aws.invalid/role",
    },
  });

  const form = new URLSearchParams(String(seen.at(-1)?.body));
  // The parse edge: the form is Google's.
  const proof = JSON.parse(decodeURIComponent(form.get("subject_token") ?? "")) as { readonly url?: unknown };
  assert.equal(proof.url, "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15");
});

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gcp-credentials-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("without any file there are none, and the metadata server is to be asked", async (t) => {
  const env = { HOME: await folderOf(t) };

  assert.equal(await readCredentialsFile({ credentialsFile: undefined, env, signal: undefined }), undefined);
});

test("a location's own file comes before the environment's, and that one before gcloud's", async (t) => {
  const folder = await folderOf(t);
  const [own, named] = [join(folder, "own.json"), join(folder, "named.json")];
  await writeFile(own, '{"type":"own"}');
  await writeFile(named, '{"type":"named"}');
  const env = { HOME: folder, GOOGLE_APPLICATION_CREDENTIALS: named };
  const read = async (credentialsFile: string | undefined): Promise<unknown> =>
    (await readCredentialsFile({ credentialsFile, env, signal: undefined }))?.fields["type"];

  assert.deepEqual([await read(own), await read(undefined)], ["own", "named"]);
});

test("a file of the environment that is absent is an error, since somebody meant it", async (t) => {
  const env = { HOME: await folderOf(t), GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/cloud" };

  await assert.rejects(readCredentialsFile({ credentialsFile: undefined, env, signal: undefined }), (error) =>
    isKind(error, "invalid-config"),
  );
});
