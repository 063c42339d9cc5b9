import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { after, describe, test } from "node:test";

import { ClientCertificateCredential, ClientSecretCredential, WorkloadIdentityCredential } from "@azure/identity";
import type { TokenCredential } from "@azure/identity";

import { createThrowawayCertificate } from "../throwaway-certificate.ts";
import { createFederatedIssuer } from "./federated-issuer.ts";
import { startAzureIdentity } from "./start-identity.ts";
import { armAudience, storageAudience } from "./tokens.ts";

const tenantId = "11111111-1111-4111-8111-111111111111";
const otherTenant = "99999999-9999-4999-8999-999999999999";
const certificate = createThrowawayCertificate("A client", "rsa");
const stranger = createThrowawayCertificate("Another client", "rsa");
const issuer = createFederatedIssuer();
const impostor = createFederatedIssuer(issuer.issuer);
const subject = "system:serviceaccount:velero:velero";
const expired = { value: "an old secret", expires: new Date("2020-01-01") };
const folder = await mkdtemp(join(tmpdir(), "azure-identity-"));
const identity = await startAzureIdentity({
  applications: [
    {
      tenantId,
      clientId: "app",
      objectId: "object-of-app",
      secrets: ["a secret", expired],
      certificates: [certificate.cert],
      federated: [{ issuer: issuer.issuer, subject, publicKey: issuer.publicKey }],
      otherTenants: [otherTenant],
    },
    { tenantId, clientId: "disabled", secrets: ["a secret"], isDisabled: true },
  ],
});
after(async () => {
  await identity.close();
  await rm(folder, { recursive: true });
});

const options = {
  authorityHost: identity.authorityUrl,
  disableInstanceDiscovery: true,
  tlsOptions: { ca: identity.caPem },
  retryOptions: { maxRetries: 0 },
};
const armScope = "https://management.azure.com/.default";
const storageScope = "https://storage.azure.com/.default";

function bySecret(secret: string, clientId = "app", tenant = tenantId): TokenCredential {
  return new ClientSecretCredential(tenant, clientId, secret, options);
}

async function byFile(token: string, name: string): Promise<TokenCredential> {
  const tokenFilePath = join(folder, name);
  await writeFile(tokenFilePath, token);
  return new WorkloadIdentityCredential({ tenantId, clientId: "app", tokenFilePath, ...options });
}

async function objectIdOf(credential: TokenCredential, scope = armScope, audience = armAudience): Promise<string> {
  const { token = "" } = (await credential.getToken(scope)) ?? {};
  return identity.tokens.verify(token, [audience]).principal.objectId;
}

async function refuses(credential: TokenCredential, number: number, scope = armScope): Promise<void> {
  await assert.rejects(credential.getToken(scope), new RegExp(`AADSTS${number}:`));
}

describe("the stand-in of Entra", { concurrency: true }, () => {
  test("a secret gets tokens for ARM and for Blob, each good for nothing else", async () => {
    assert.equal(await objectIdOf(bySecret("a secret")), "object-of-app");
    assert.equal(await objectIdOf(bySecret("a secret"), storageScope, storageAudience), "object-of-app");
    await assert.rejects(objectIdOf(bySecret("a secret"), storageScope), /not for 'https:\/\/management/);
  });

  test("a token tells the tenant in which it was asked for", async () => {
    const { token = "" } = (await bySecret("a secret", "app", otherTenant).getToken(armScope)) ?? {};

    assert.equal(identity.tokens.verify(token, [armAudience]).principal.tenantId, otherTenant);
  });

  test("a wrong secret is AADSTS7000215", () => refuses(bySecret("wrong"), 7000215));
  test("an expired secret is AADSTS7000222", () => refuses(bySecret(expired.value), 7000222));
  test("an unknown application is AADSTS700016", () => refuses(bySecret("a secret", "unknown"), 700016));
  test("a disabled application is AADSTS7000112", () => refuses(bySecret("a secret", "disabled"), 7000112));
  test("a resource that is not known is AADSTS500011", () =>
    refuses(bySecret("a secret"), 500011, "https://elsewhere.example/.default"));
  test("a scope without .default is AADSTS1002012", () =>
    refuses(bySecret("a secret"), 1002012, "https://management.azure.com/user_impersonation"));

  test("an unknown tenant is refused", async () => {
    const nowhere = bySecret("a secret", "app", "00000000-0000-4000-8000-000000000000");

    await assert.rejects(nowhere.getToken(armScope), /AADSTS90002|endpoints_resolution_error|Endpoints/);
  });

  for (const sendCertificateChain of [false, true]) {
    test(`a certificate gets a token, ${sendCertificateChain ? "with" : "without"} its chain`, async () => {
      const pem = certificate.key + certificate.cert;
      const choice = { ...options, sendCertificateChain };

      const credential = new ClientCertificateCredential(tenantId, "app", { certificate: pem }, choice);

      assert.equal(await objectIdOf(credential), "object-of-app");
    });
  }

  test("a certificate that is not registered is AADSTS700027", async () => {
    const pem = stranger.key + stranger.cert;

    await refuses(new ClientCertificateCredential(tenantId, "app", { certificate: pem }, options), 700027);
  });

  test("a registered certificate with another key is AADSTS700027", async () => {
    const pem = stranger.key + certificate.cert;

    await refuses(new ClientCertificateCredential(tenantId, "app", { certificate: pem }, options), 700027);
  });

  test("a token of the cluster gets a token", async () => {
    assert.equal(await objectIdOf(await byFile(issuer.token(subject), "good")), "object-of-app");
  });

  const wrong: readonly (readonly [what: string, number: number, token: string])[] = [
    ["of another subject", 700213, issuer.token("system:serviceaccount:default:default")],
    ["for another audience", 700212, issuer.token(subject, { audience: "sts.amazonaws.com" })],
    ["of another issuer", 700211, createFederatedIssuer("https://elsewhere.invalid/").token(subject)],
    ["that has expired", 700024, issuer.token(subject, { expires: new Date(Date.now() - 1000) })],
    ["that was signed with another key", 50013, impostor.token(subject)],
    ["that is none", 50027, "not-a-token"],
  ];
  for (const [what, number, token] of wrong) {
    test(`a token of the cluster ${what} is AADSTS${number}`, async () => {
      await refuses(await byFile(token, `wrong-${number}`), number);
    });
  }
});

describe("what Entra publishes", { concurrency: true }, () => {
  const read = async (path: string): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> => {
    const { authorityUrl, caPem } = identity;
    const asked = get(new URL(path, authorityUrl), { ca: caPem, agent: false });
    // What node documents for this event.
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    // Entra answers objects only.
    return { status: response.statusCode ?? 0, json: (await json(response)) as Record<string, unknown> };
  };

  test("a tenant's document leads to its token endpoint and keys", async () => {
    const document = await read(`/${tenantId}/v2.0/.well-known/openid-configuration`);

    const { token_endpoint: tokenEndpoint, jwks_uri: keysUri, issuer } = document.json;
    assert.equal(tokenEndpoint, `${identity.authorityUrl}/${tenantId}/oauth2/v2.0/token`);
    assert.equal(issuer, `${identity.authorityUrl}/${tenantId}/v2.0`);
    const { keys } = (await read(String(keysUri))).json;
    assert.ok(Array.isArray(keys) && keys.length === 1);
  });

  test("a tenant that does not exist has no document", async () => {
    const { status, json: body } = await read(`/${"0".repeat(8)}/v2.0/.well-known/openid-configuration`);

    assert.deepEqual([status, body["error_codes"]], [400, [90002]]);
  });

  test("an instance is discovered where it is this one, and no other", async () => {
    const ask = (authority: string): ReturnType<typeof read> => {
      const endpoint = encodeURIComponent(`${authority}/${tenantId}/oauth2/v2.0/authorize`);
      return read(`/common/discovery/instance?api-version=1.1&authorization_endpoint=${endpoint}`);
    };

    const own = await ask(identity.authorityUrl);
    const other = await ask("https://login.elsewhere.example");

    const document = `${identity.authorityUrl}/${tenantId}/v2.0/.well-known/openid-configuration`;
    assert.equal(own.json["tenant_discovery_endpoint"], document);
    assert.deepEqual([other.status, other.json["error"]], [400, "invalid_instance"]);
  });
});

describe("faults of Entra", () => {
  test("a request is refused once and then answered", async () => {
    const fault = { kind: "error", status: 400, code: "temporarily_unavailable", message: "come back later" } as const;
    const handle = identity.faults.add(fault, { operation: "Entra_Token" });

    await assert.rejects(bySecret("a secret").getToken(armScope), /come back later/);

    assert.equal(await objectIdOf(bySecret("a secret")), "object-of-app");
    assert.equal(handle.hits, 1);
  });
});
