import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { ManagedIdentityCredential } from "@azure/identity";

import { startAzureIdentity } from "./start-identity.ts";
import type { AzureIdentityStandIn } from "./start-identity.ts";
import { armAudience, storageAudience } from "./tokens.ts";

const tenantId = "11111111-1111-4111-8111-111111111111";
const armScope = "https://management.azure.com/.default";
const storageScope = "https://storage.azure.com/.default";

/** Proves one kind of endpoint. The SDK chooses its endpoint once per process: each kind needs a file of its own. */
export async function testManagedIdentity(kind: "Imds" | "AppService"): Promise<AzureIdentityStandIn> {
  const identity = await startAzureIdentity({
    managedIdentities: [
      { tenantId, clientId: "mi-system", objectId: "object-of-system" },
      { tenantId, clientId: "mi-user", objectId: "object-of-user", resourceId: "/subscriptions/s/identities/user" },
    ],
  });
  after(() => identity.close());
  Object.assign(process.env, kind === "Imds" ? identity.imdsEnvironment : identity.appServiceEnvironment);
  const objectIdOf = async (
    credential: ManagedIdentityCredential,
    scope = armScope,
    audience = armAudience,
  ): Promise<string> => {
    const { token } = await credential.getToken(scope);
    return identity.tokens.verify(token, [audience]).principal.objectId;
  };

  describe(`managed identities by ${kind}`, () => {
    test("tokens are issued for the system's identity and for a user-assigned one", async () => {
      const byClient = new ManagedIdentityCredential({ clientId: "mi-user" });
      const byResource = new ManagedIdentityCredential({ resourceId: "/subscriptions/s/identities/USER" });

      assert.equal(await objectIdOf(new ManagedIdentityCredential()), "object-of-system");
      assert.equal(await objectIdOf(byClient, storageScope, storageAudience), "object-of-user");
      assert.equal(await objectIdOf(byResource), "object-of-user");
      const operations = identity.log.entries().map(({ operation, status }) => `${operation} ${status}`);
      assert.deepEqual(
        operations,
        [1, 2, 3].map(() => `ManagedIdentity_${kind} 200`),
      );
    });

    test("an identity that the machine does not have is refused", async () => {
      const credential = new ManagedIdentityCredential({ clientId: "mi-none", retryOptions: { maxRetries: 0 } });

      await assert.rejects(credential.getToken(armScope), /Identity not found/);
    });
  });
  return identity;
}
