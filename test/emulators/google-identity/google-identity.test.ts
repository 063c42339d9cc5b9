import assert from "node:assert/strict";
import { createPrivateKey, createVerify, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { ExternalAccountClient, Impersonated, OAuth2Client } from "google-auth-library";

import { createFederatedIssuer } from "../azure-identity/federated-issuer.ts";
import { signJwt } from "../jwt.ts";
import { startGoogleIdentity } from "./start-identity.ts";
import { cloudPlatformScope, computeDemand, GoogleTokenError, GoogleTokens, storageDemand } from "./tokens.ts";

const email = "velero@prod.iam.gserviceaccount.com";
const signer = "signer@prod.iam.gserviceaccount.com";
const audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster";
const subject = "system:serviceaccount:velero:velero";
const federated =
  "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/subject/system:serviceaccount:velero:velero";
const issuer = createFederatedIssuer();
const identity = await startGoogleIdentity({
  serviceAccounts: [{ email }, { email: signer, tokenCreators: [email, federated] }],
  providers: [{ audience, issuer: issuer.issuer, publicKey: issuer.publicKey }],
});
const folder = await mkdtemp(join(tmpdir(), "google-identity-"));
after(async () => {
  await identity.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function post(
  url: string,
  body: URLSearchParams | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body, headers });
  // The tests look at what the stand-in wrote.
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function keyFile(): Record<string, string> {
  // The key file holds texts only.
  return JSON.parse(identity.serviceAccountKey(email)) as Record<string, string>;
}

async function assertion(changes: Record<string, unknown> = {}, key = keyFile()["private_key"] ?? ""): Promise<Answer> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: email,
    scope: cloudPlatformScope,
    aud: identity.tokenUri,
    iat: now,
    exp: now + 3600,
    ...changes,
  };
  const jwt = signJwt(claims, createPrivateKey(key));
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: jwt };
  return await post(identity.tokenUri, new URLSearchParams(form));
}

describe("the OAuth token endpoint", () => {
  test("a key that is not registered is invalid_grant", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

    const answer = await assertion({}, privateKey.export({ type: "pkcs8", format: "pem" }));

    assert.deepEqual(answer, {
      status: 400,
      body: { error: "invalid_grant", error_description: "Invalid JWT Signature." },
    });
  });

  test("a deleted key is invalid_grant", async () => {
    const key = keyFile();
    identity.directory.deleteKey(email, key["private_key_id"] ?? "");

    assert.equal((await assertion({}, key["private_key"])).body["error"], "invalid_grant");
  });

  const refused: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ["another audience", { aud: "https://example.com/token" }, /Failed audience check/],
    ["an unknown account", { iss: "nobody@prod.iam.gserviceaccount.com" }, /account not found/],
    ["an expired assertion", { iat: 1000, exp: 4600 }, /reasonable timeframe/],
    ["an assertion for two hours", { exp: Math.floor(Date.now() / 1000) + 7200 }, /60 minutes/],
    ["no scope", { scope: "" }, /Invalid OAuth scope/],
  ];
  for (const [what, changes, reason] of refused) {
    test(`${what} is refused`, async () => {
      const { status, body } = await assertion(changes);

      assert.equal(status, 400);
      assert.match(String(body["error_description"]), reason);
    });
  }

  test("another grant is refused", async () => {
    const { body } = await post(identity.tokenUri, new URLSearchParams({ grant_type: "password" }));

    assert.equal(body["error"], "unsupported_grant_type");
  });

  test("a good assertion is answered with a token of its account", async () => {
    const { status, body } = await assertion();

    assert.equal(status, 200);
    const verified = identity.tokens.verify(String(body["access_token"]), storageDemand);
    assert.equal(verified.member, email);
    assert.deepEqual(verified.scopes, [cloudPlatformScope]);
  });
});

describe("access tokens of the Google stand-ins", () => {
  const problemOf = (token: string, demand = storageDemand, tokens = identity.tokens): string | undefined => {
    try {
      tokens.verify(token, demand);
      return undefined;
    } catch (error) {
      if (error instanceof GoogleTokenError) return error.problem;
      throw error;
    }
  };
  const selfSigned = (claims: Record<string, unknown>): string => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    return signJwt({ iss: email, sub: email, ...claims }, privateKey);
  };

  test("those of another authority, changed, expired and too narrow ones are refused", () => {
    const { tokens } = identity;
    const narrow = tokens.issue(email, ["https://www.googleapis.com/auth/devstorage.read_write"]);

    assert.equal(problemOf(new GoogleTokens().issue(email)), "signature");
    assert.equal(problemOf(tokens.issue(email).replace("ya29.ey", "ya29.eY")), "signature");
    assert.equal(problemOf(tokens.issue(email, [cloudPlatformScope], -1)), "expired");
    assert.equal(problemOf(narrow, computeDemand), "scope");
    assert.equal(problemOf(narrow), undefined);
    assert.equal(problemOf("secret"), "malformed");
  });

  test("a JWT in place of a token counts only when the account signed it", () => {
    const now = Math.floor(Date.now() / 1000);

    assert.equal(
      problemOf(selfSigned({ aud: "https://storage.googleapis.com/", iat: now, exp: now + 3600 })),
      "signature",
    );
  });

  test("a JWT in place of a token is good for its audience only", async () => {
    const key = createPrivateKey(keyFile()["private_key"] ?? "");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: email, sub: email, aud: "https://compute.googleapis.com/", iat: now, exp: now + 3600 };

    assert.equal(problemOf(signJwt(claims, key), computeDemand), undefined);
    assert.equal(problemOf(signJwt(claims, key)), "audience");
  });
});

describe("federated and impersonated identities", () => {
  async function client(
    token: string,
    impersonate?: string,
  ): Promise<NonNullable<ReturnType<typeof ExternalAccountClient.fromJSON>>> {
    const file = join(folder, "token");
    await writeFile(file, token);
    // fromJSON takes what stands in the file.
    const options = JSON.parse(identity.externalAccount(audience, { file }, impersonate)) as Parameters<
      typeof ExternalAccountClient.fromJSON
    >[0];
    const found = ExternalAccountClient.fromJSON({ ...options, scopes: [cloudPlatformScope] });
    assert.ok(found);
    return found;
  }

  test("Google's library exchanges the token of a cluster", async () => {
    const { token } = await (await client(issuer.token(subject, { audience }))).getAccessToken();

    assert.equal(identity.tokens.verify(token ?? "", storageDemand).member, federated);
  });

  test("Google's library reads the token of a pod from a URL", async () => {
    identity.setSubjectToken(issuer.token(subject, { audience }));
    const source = {
      url: `${identity.subjectTokenUrl}?format=json`,
      format: { type: "json", subject_token_field_name: "id_token" },
    };
    // fromJSON takes what stands in the file.
    const options = JSON.parse(identity.externalAccount(audience, source)) as Parameters<
      typeof ExternalAccountClient.fromJSON
    >[0];

    const { token } = (await ExternalAccountClient.fromJSON(options)?.getAccessToken()) ?? {};

    assert.equal(identity.tokens.verify(token ?? "", storageDemand).member, federated);
  });

  test("Google's library goes on to the service account that trusts the federated identity", async () => {
    const { token } = await (await client(issuer.token(subject, { audience }), signer)).getAccessToken();

    assert.equal(identity.tokens.verify(token ?? "", storageDemand).member, signer);
  });

  test("a service account that trusts nobody is not impersonated", async () => {
    const refused = client(issuer.token(subject, { audience }), email).then((one) => one.getAccessToken());

    await assert.rejects(refused, /iam\.serviceAccounts\.getAccessToken/);
  });

  const wrong: readonly (readonly [string, () => string, RegExp])[] = [
    [
      "for another audience",
      () => issuer.token(subject, { audience: "https://other" }),
      /does not match the expected audience/,
    ],
    ["that has expired", () => issuer.token(subject, { audience, expires: new Date(1000) }), /stale/],
    ["of another key", () => createFederatedIssuer(issuer.issuer).token(subject, { audience }), /signature/],
    ["of another issuer", () => createFederatedIssuer("https://other/").token(subject, { audience }), /issuer/],
  ];
  for (const [what, token, reason] of wrong) {
    test(`a cluster's token ${what} is refused`, async () => {
      await assert.rejects((await client(token())).getAccessToken(), reason);
    });
  }

  test("an unknown provider is invalid_target", async () => {
    const { body } = await post(
      identity.tokenUrl,
      new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        audience: `${audience}2`,
        subject_token: "x",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        scope: cloudPlatformScope,
      }),
    );

    assert.equal(body["error"], "invalid_target");
  });

  test("signBlob signs for those whom the account trusts, with a key that counts", async () => {
    const source = new OAuth2Client();
    source.setCredentials({ access_token: identity.tokens.issue(email) });
    const client = new Impersonated({ sourceClient: source, targetPrincipal: signer, endpoint: identity.url });

    const { signedBlob } = await client.sign("to sign");

    const [key] = identity.directory.verificationKeys(signer);
    assert.ok(key);
    assert.ok(createVerify("sha256").update("to sign").verify(key, signedBlob, "base64"));
  });

  test("signBlob names the permission that is missing", async () => {
    const authorization = `Bearer ${identity.tokens.issue("other@prod.iam.gserviceaccount.com")}`;

    const { status, body } = await post(identity.signBlobUrl(signer), JSON.stringify({ payload: "AAAA" }), {
      authorization,
    });

    assert.equal(status, 403);
    assert.match(JSON.stringify(body), /"permission":"iam.serviceAccounts.signBlob"/);
  });

  test("signBlob without a token is 401", async () => {
    assert.equal((await post(identity.signBlobUrl(signer), JSON.stringify({ payload: "AAAA" }))).status, 401);
  });
});

describe("the metadata server", () => {
  const get = async (
    path: string,
    headers: Record<string, string> = { "Metadata-Flavor": "Google" },
  ): Promise<Response> =>
    await fetch(`http://${identity.metadataEnvironment["GCE_METADATA_HOST"]}/computeMetadata/v1/${path}`, { headers });

  test("where there is none, nothing is answered with the flavor's 200", async () => {
    identity.setMachine(undefined);

    assert.equal((await get("instance/")).status, 404);
  });

  test("a request without the header is refused", async () => {
    identity.setMachine({ projectId: "prod", serviceAccount: email });

    assert.equal((await get("project/project-id", {})).status, 403);
  });

  test("a machine without a service account has no token", async () => {
    identity.setMachine({ projectId: "prod" });

    assert.equal((await get("instance/service-accounts/default/token")).status, 404);
  });

  test("it tells project, universe, e-mail address and a token that is good", async () => {
    identity.setMachine({ projectId: "prod", serviceAccount: email, universeDomain: "example.test" });

    assert.equal(await (await get("project/project-id")).text(), "prod");
    assert.equal(await (await get("universe/universe-domain")).text(), "example.test");
    assert.equal(await (await get("instance/service-accounts/default/email")).text(), email);
    const response = await get("instance/service-accounts/default/token");
    assert.equal(response.headers.get("metadata-flavor"), "Google");
    // The stand-in wrote it.
    const { access_token } = (await response.json()) as { access_token: string };
    assert.equal(identity.tokens.verify(access_token, computeDemand).member, email);
  });
});
