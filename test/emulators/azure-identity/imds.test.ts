import assert from "node:assert/strict";
import { test } from "node:test";

import { testManagedIdentity } from "./managed-identity-tests.ts";

const { imdsEnvironment } = await testManagedIdentity("Imds");
const host = imdsEnvironment["AZURE_POD_IDENTITY_AUTHORITY_HOST"];
const url = `${host}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/`;

test("IMDS refuses a request without its header", async () => {
  const response = await fetch(url);

  assert.equal(response.status, 400);
  assert.match(await response.text(), /Required metadata header not specified/);
});

test("IMDS refuses a request that came through a proxy", async () => {
  const response = await fetch(url, { headers: { metadata: "true", "x-forwarded-for": "10.0.0.1" } });

  assert.equal(response.status, 400);
});
