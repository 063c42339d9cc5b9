import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import { startStubServer } from "@flotilla/sdk/testing";
import { openConnection } from "./client.ts";
import { contextWith } from "./testing/call.ts";

const keys = "aws_access_key_id=A\naws_secret_access_key=s\n";

async function openWith(t: TestContext, text: string, env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "client-"));
  t.after(async () => await rm(folder, { recursive: true }));
  const credentialsFile = join(folder, "cloud");
  await writeFile(credentialsFile, text);
  const config = { region: "eu-west-1", endpoint: undefined, profile: undefined, caCert: undefined };
  const { settings } = await openConnection(
    "s3",
    { ...config, credentialsFile, insecureSkipVerify: false },
    contextWith(env),
  );
  return settings;
}

for (const word of ["true", "True"])
  test(`endpoints of the file do not count where it says ${word} to ignoring them`, async (t) => {
    const ignoring = `ignore_configured_endpoint_urls=${word}\n`;
    const settings = await openWith(t, `[default]\n${keys}endpoint_url=http://a.example\n${ignoring}`);

    assert.equal(settings.endpoint, undefined);
  });

test("an empty variable leaves it to the file whether endpoints are ignored", async (t) => {
  const text = `[default]\n${keys}endpoint_url=http://a.example\nignore_configured_endpoint_urls=true\n`;

  const settings = await openWith(t, text, { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "" });

  assert.equal(settings.endpoint, undefined);
});

for (const endpoint of ["minio.velero.svc:9000", "minio"])
  test(`an endpoint of the environment without a scheme is named: ${endpoint}`, async (t) => {
    await assert.rejects(
      openWith(t, `[default]\n${keys}`, { AWS_ENDPOINT_URL_S3: endpoint }),
      (error) => isKind(error, "invalid-config") && /AWS_ENDPOINT_URL/.test(error.message),
    );
  });

const role = `[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nservices=own\n[base]\n${keys}`;

test("a role is assumed at the file's own endpoint of STS", async (t) => {
  const sts = await startStubServer(t, () => ({
    headers: { "content-type": "text/xml" },
    body: "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>R</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
  }));

  const settings = await openWith(t, `${role}[services own]\nsts =\n  endpoint_url = ${sts.url.href}\n`);

  assert.equal((await settings.credentials()).accessKeyId, "R");
});

test("a file that wants FIPS endpoints gets that of STS too", async (t) => {
  const asked: string[] = [];
  const proxy = createServer().on("connect", ({ url }, socket) => {
    asked.push(String(url));
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.listen(0, "127.0.0.1", resolve);
  t.after(() => proxy.close());
  await promise;
  // A TCP server's address is an object.
  const { port } = proxy.address() as AddressInfo;
  const text = role.replace("services=own", "use_fips_endpoint=true");
  const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };

  await assert.rejects(openWith(t, text, env));

  assert.deepEqual([...new Set(asked)], ["sts-fips.eu-west-1.amazonaws.com:443"]);
});
