import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import { openConnection } from "./client.ts";
import type { Connection, ConnectionConfig } from "./client.ts";
import { cloudNamed, isKnownAuthority, publicCloud } from "./clouds.ts";
import { contextWith } from "./testing/call.ts";
import { writeCredentials } from "./testing/credentials-file.ts";

const nothing: ConnectionConfig = {
  credentialsFile: undefined,
  resourceGroup: undefined,
  subscriptionId: undefined,
  activeDirectoryAuthorityURI: undefined,
  endpoint: undefined,
  caCert: undefined,
  insecureSkipVerify: false,
};

async function open(
  t: TestContext,
  lines: string,
  keys: Partial<ConnectionConfig> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Connection> {
  const credentialsFile = await writeCredentials(t, lines);
  const connection = await openConnection({ ...nothing, credentialsFile, ...keys }, contextWith(env));
  t.after(() => connection.close());
  return connection;
}

for (const [name, arm] of [
  ["", "https://management.azure.com"],
  ["AzureCloud", "https://management.azure.com"],
  ["AZUREPUBLICCLOUD", "https://management.azure.com"],
  ["azurechinacloud", "https://management.chinacloudapi.cn"],
  ["AzureUSGovernment", "https://management.usgovcloudapi.net"],
  ["AzureUSGovernmentCloud", "https://management.usgovcloudapi.net"],
] as const) {
  test(`AZURE_CLOUD_NAME=${name} is the cloud of ${arm}, for endpoint and audience alike`, async (t) => {
    const { armOptions } = await open(t, `A=b\nAZURE_CLOUD_NAME=${name}`);

    assert.equal(armOptions.endpoint, arm);
    assert.deepEqual(armOptions.credentials.scopes, [`${arm}/.default`]);
  });
}

test("an unknown cloud is refused", async (t) => {
  await assert.rejects(
    open(t, "AZURE_CLOUD_NAME=AzureGermanCloud"),
    (error) => isKind(error, "invalid-config") && !error.message.includes("German"),
  );
});

test("each cloud has its own suffix of blob endpoints", () => {
  const suffixes = ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"].map((name) => cloudNamed(name)?.blobSuffix);

  assert.deepEqual(suffixes, ["blob.core.windows.net", "blob.core.chinacloudapi.cn", "blob.core.usgovcloudapi.net"]);
});

test("a location's keys come before its lines, and these before the environment", async (t) => {
  const env = { AZURE_SUBSCRIPTION_ID: "of-environment", AZURE_RESOURCE_GROUP: "of-environment" };

  const { subscriptionId, resourceGroup } = await open(
    t,
    "AZURE_SUBSCRIPTION_ID=of-file",
    { subscriptionId: "of-location" },
    env,
  );
  const second = await open(t, "AZURE_SUBSCRIPTION_ID=of-file", {}, env);

  assert.deepEqual([subscriptionId, resourceGroup], ["of-location", "of-environment"]);
  assert.equal(second.subscriptionId, "of-file");
});

test("an endpoint of one's own keeps the cloud's audience", async (t) => {
  const { armOptions } = await open(t, "A=b", { endpoint: new URL("https://arm.example.com/") });

  assert.equal(armOptions.endpoint, "https://arm.example.com");
  assert.deepEqual(armOptions.credentials.scopes, [`${publicCloud.armEndpoint}/.default`]);
});

test("an authority of the environment that is not https is refused where a token is needed, and only there", async (t) => {
  const connection = await open(t, "A=b", {}, { AZURE_AUTHORITY_HOST: "login.example.com" });

  await assert.rejects(
    connection.openTokenCredential(),
    (error) => isKind(error, "invalid-config") && /AZURE_AUTHORITY_HOST/.test(error.message),
  );
});

test("the environment's AZURE_CLOUD_NAME is not the location's", async (t) => {
  const { cloud } = await open(t, "A=b", {}, { AZURE_CLOUD_NAME: "AzureStackCloud" });

  assert.equal(cloud, publicCloud);
});

test("only the clouds' own authorities are known to Entra", () => {
  assert.equal(isKnownAuthority("https://login.microsoftonline.us/"), true);
  assert.equal(isKnownAuthority("https://127.0.0.1:8443"), false);
});
