import assert from "node:assert/strict";
import { test } from "node:test";

import { testManagedIdentity } from "./managed-identity-tests.ts";

const { appServiceEnvironment } = await testManagedIdentity("AppService");
const url = `${appServiceEnvironment["IDENTITY_ENDPOINT"]}?api-version=2019-08-01&resource=https://management.azure.com/`;

test("App Service refuses a request without the secret of its header", async () => {
  for (const headers of [{}, { "x-identity-header": "guessed" }]) {
    assert.equal((await fetch(url, { headers })).status, 403);
  }
});
