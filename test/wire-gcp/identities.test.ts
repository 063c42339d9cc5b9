import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { createFederatedIssuer } from "@flotilla/test/emulators";

import { absenceWords } from "../wire/absence.ts";
import { failureOf } from "../wire/bytes.ts";
import { owner, startGcsRig } from "./gcs-rig.ts";
import type { LocationOptions } from "./gcs-rig.ts";

const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool";
const audience = `${pool}/providers/cluster`;
const subject = "system:serviceaccount:velero:velero";
const federated = `principal:${pool}/subject/${subject}`;
const target = "target@flotilla.iam.gserviceaccount.com";
const cluster = createFederatedIssuer();

const rig = await startGcsRig();
after(() => rig.close());
const { directory } = rig.identity;
directory.addProvider({ audience, issuer: cluster.issuer, publicKey: cluster.publicKey });
directory.addServiceAccount({ email: target, tokenCreators: [owner, federated] });
directory.users.push({ email: "ann@example.com", clientId: "client", clientSecret: "shh", refreshToken: "refresh" });

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, text);
  return path;
}

/** Whose tokens the requests for a bucket had. */
function membersOf(bucket: string): readonly string[] {
  const scopes = ["https://www.googleapis.com/auth/devstorage.read_write"];
  const members = rig.requestsOf(bucket).map(({ headers }) => {
    const token = headers.get("authorization")?.replace("Bearer ", "") ?? "";
    const demand = { scopes: [...scopes, "https://www.googleapis.com/auth/cloud-platform"], audiences: [] };
    return rig.gcs.tokens.verify(token, demand).member;
  });
  return [...new Set(members)];
}

async function tokenFile(name: string): Promise<string> {
  return await fileOf(name, cluster.token(subject, { audience }));
}

const user = JSON.stringify({
  type: "authorized_user",
  client_id: "client",
  client_secret: "shh",
  refresh_token: "refresh",
  token_uri: rig.identity.tokenUri,
});

function impersonated(source: unknown): string {
  return JSON.stringify({
    type: "impersonated_service_account",
    service_account_impersonation_url: rig.identity.impersonationUrl(target),
    source_credentials: source,
  });
}

describe("every kind of credentials", { concurrency: true, timeout: 600_000 }, () => {
  rig.identity.setSubjectToken(cluster.token(subject, { audience }));
  const cases: readonly (readonly [string, () => Promise<string>, string])[] = [
    ["service-account", async () => rig.identity.serviceAccountKey(owner), owner],
    ["user", async () => user, "ann@example.com"],
    ["file", async () => rig.identity.externalAccount(audience, { file: await tokenFile("pod") }), federated],
    ["url", async () => rig.identity.externalAccount(audience, { url: rig.identity.subjectTokenUrl }), federated],
    [
      "url-json",
      async () =>
        rig.identity.externalAccount(audience, {
          url: `${rig.identity.subjectTokenUrl}?format=json`,
          format: { type: "json", subject_token_field_name: "id_token" },
        }),
      federated,
    ],
    [
      "file-impersonating",
      async () => rig.identity.externalAccount(audience, { file: await tokenFile("pod2") }, target),
      target,
    ],
    ["impersonated-key", async () => impersonated(JSON.parse(rig.identity.serviceAccountKey(owner))), target],
  ];
  for (const [name, credentials, member] of cases) {
    test(`${name}: objects are reached as ${member}`, async () => {
      const location = await rig.open(`kind-${name}`, { credentials: await credentials(), session: rig.start() });

      await location.put("contents", Buffer.from("x"));

      assert.deepEqual(await location.list(), ["contents"]);
      assert.deepEqual(membersOf(`kind-${name}`), [member]);
    });
  }

  test("the metadata server: objects are reached as the node's account", async () => {
    rig.identity.setMachine({ projectId: "flotilla", serviceAccount: "node@flotilla.iam.gserviceaccount.com" });
    const session = rig.start({ ...rig.identity.metadataEnvironment, HTTP_PROXY: "http://127.0.0.1:1" });
    const location = await rig.open("kind-metadata", { session, without: ["credentialsFile"] });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(membersOf("kind-metadata"), ["node@flotilla.iam.gserviceaccount.com"]);
  });

  test("GOOGLE_APPLICATION_CREDENTIALS that is another cloud's file is passed over", async () => {
    const path = await fileOf("aws.ini", "[default]\naws_access_key_id = x\naws_secret_access_key = y\n");
    const session = rig.start({ ...rig.identity.metadataEnvironment, GOOGLE_APPLICATION_CREDENTIALS: path });
    const location = await rig.open("kind-foreign", { session, without: ["credentialsFile"] });

    assert.deepEqual(await location.list(), []);
  });

  test("an account key of another universe is its own token", async () => {
    const key = { ...(JSON.parse(rig.identity.serviceAccountKey(owner)) as object), universe_domain: "example.goog" };
    const session = rig.start();
    const location = await rig.open("kind-universe", { credentials: JSON.stringify(key), session });

    assert.deepEqual(await location.list(), []);

    const tokens = rig.requestsOf("kind-universe").map(({ headers }) => headers.get("authorization"));
    assert.ok(tokens.length > 0);
    // What the token endpoint hands out is issued by itself.
    assert.ok(tokens.every((token) => issuerOf(token) === owner));
  });

  test("STORAGE_EMULATOR_HOST is used without credentials, as Google's libraries do", async () => {
    const session = rig.start({ STORAGE_EMULATOR_HOST: rig.gcs.url });
    const location = await rig.open("kind-emulator", { session, without: ["credentialsFile", "storeEndpoint"] });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.ok(rig.requestsOf("kind-emulator").every(({ headers }) => !headers.has("authorization")));
  });

  test("beside STORAGE_EMULATOR_HOST a storeEndpoint says where, and nobody is asked for a token either", async () => {
    const session = rig.start({ STORAGE_EMULATOR_HOST: "127.0.0.1:1" });
    const location = await rig.open("kind-emulator-at", { session });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    const seen = rig.requestsOf("kind-emulator-at");
    assert.ok(seen.length > 0);
    assert.ok(seen.every(({ headers }) => !headers.has("authorization")));
  });
});

describe("signed URLs without a private key", { concurrency: true, timeout: 600_000 }, () => {
  test("federated credentials that impersonate sign as their account: the official plugin cannot", async () => {
    const credentials = rig.identity.externalAccount(audience, { file: await tokenFile("sign") }, target);
    const location = await rig.open("sign-federated", { credentials });
    await location.put("contents", Buffer.from("signed"));

    const answer = await fetch(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(await answer.text(), "signed");
  });

  test("federated credentials without an account sign as serviceAccount", async () => {
    const credentials = rig.identity.externalAccount(audience, { file: await tokenFile("sign2") });
    const session = rig.start({ CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: rig.identity.url });
    const location = await rig.open("sign-as", { credentials, session, config: { serviceAccount: target } });
    await location.put("contents", Buffer.from("signed"));

    const answer = await fetch(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(await answer.text(), "signed");
  });

  test("without serviceAccount they name the key to set", async () => {
    const credentials = rig.identity.externalAccount(audience, { file: await tokenFile("sign3") });
    const location = await rig.open("sign-nobody", { credentials });

    const error = await failureOf(location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /set the location's key serviceAccount/);
  });

  test("impersonated credentials sign as their account", async () => {
    const credentials = impersonated(JSON.parse(rig.identity.serviceAccountKey(owner)));
    const location = await rig.open("sign-impersonated", { credentials });
    await location.put("contents", Buffer.from("signed"));

    const answer = await fetch(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(await answer.text(), "signed");
  });
});

describe("credentials that do not work", { concurrency: true, timeout: 600_000 }, () => {
  const key = (changes: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({ ...(JSON.parse(rig.identity.serviceAccountKey(owner)) as object), ...changes });

  for (const [name, credentials, pattern] of [
    ["no-type", key({ type: undefined }), /has no field "type"/],
    ["unknown-type", key({ type: "robot" }), /unknown type "robot"/],
    ["no-email", key({ client_email: undefined }), /has no field "client_email"/],
    ["no-pem", key({ private_key: "not-a-pem-key" }), /"private_key" that is no PEM/],
    ["array", "[1]", /is not a JSON object/],
    ["empty", "", /is empty/],
    ["cut", key({}).slice(0, 300), /is not a JSON object/],
    ["no-source", JSON.stringify({ type: "impersonated_service_account" }), /source_credentials/],
  ] as const) {
    test(`${name}: the opening fails and says what is wrong with the file`, async () => {
      const error = await failureOf(rig.open(`bad-${name}`, { credentials }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
      assert.match(error.message, new RegExp(`bad-${name}\\.json`));
      assert.doesNotMatch(error.message, /PRIVATE|not-a-pem-key/);
    });
  }

  test("a file that is absent is named", async () => {
    const error = await failureOf(rig.open("bad-absent", { config: { credentialsFile: "/nowhere/cloud" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /"\/nowhere\/cloud" cannot be read/);
  });

  test("credentials of another universe than the location's are refused", async () => {
    const credentials = key({ universe_domain: "one.example" });

    const error = await failureOf(rig.open("bad-universe", { credentials, config: { universeDomain: "two.example" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /one\.example.*two\.example/);
  });

  test("a key that was deleted is denied with the reason, and nothing secret is told", async () => {
    const credentials = rig.identity.serviceAccountKey("gone@flotilla.iam.gserviceaccount.com");
    directory.removeServiceAccount("gone@flotilla.iam.gserviceaccount.com");
    const location = await rig.open("denied-key", { credentials, session: rig.start() });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /gone@flotilla.*invalid_grant, HTTP 400/);
    assert.doesNotMatch(error.message, /PRIVATE|eyJ/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a cluster whose tokens the pool does not know is denied", async () => {
    const token = createFederatedIssuer(cluster.issuer).token(subject, { audience });
    const credentials = rig.identity.externalAccount(audience, { file: await fileOf("stranger", token) });
    const location = await rig.open("denied-pool", { credentials });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /invalid_grant/);
    assert.doesNotMatch(error.message, /eyJ/);
  });

  test("a token file that is absent is named", async () => {
    const credentials = rig.identity.externalAccount(audience, { file: "/nowhere/token" });
    const location = await rig.open("no-token-file", { credentials });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /\/nowhere\/token/);
  });

  test("an account that may not be impersonated is denied, with whom to grant what", async () => {
    const credentials = impersonated({ ...(JSON.parse(user) as object) });
    const location = await rig.open("no-impersonation", { credentials });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /target@flotilla.*Service Account Token Creator/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("where no metadata server answers, the remedy is to give credentials", async () => {
    const location = await rig.open("no-metadata", { without: ["credentialsFile"] });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /outside Google Cloud give the location credentials/);
    assert.doesNotMatch(error.message, absenceWords);
  });
});

// One after the other: the requests for tokens are counted.
describe("tokens that end", { timeout: 600_000 }, () => {
  test("one that is refused in the middle of the work is fetched anew, without an error", async () => {
    const options: LocationOptions = { session: rig.start() };
    const location = await rig.open("refused", options);
    await location.list();
    const refusal = { kind: "error", status: 401, code: "authError" } as const;
    const refused = rig.gcs.faults.add(refusal, { bucket: "refused" });
    const before = rig.identity.log.entries("Token").length;

    await location.put("contents", Buffer.from("x"));

    assert.equal(refused.hits, 1);
    assert.equal(rig.identity.log.entries("Token").length, before + 1);
  });

  test("a file that is written only after the opening has begun is waited for", async () => {
    const path = await fileOf("late.json", "");
    const opening = rig.open("late", { config: { credentialsFile: path }, session: rig.start() });
    await delay(300);
    await writeFile(path, rig.identity.serviceAccountKey(owner));

    assert.deepEqual(await (await opening).list(), []);
  });
});

/** Who issued a bearer token that is a JWT. */
function issuerOf(authorization: string | undefined): unknown {
  const [, payload = ""] = authorization?.split(".") ?? [];
  // The parse edge: only this one field is looked at.
  return (JSON.parse(Buffer.from(payload, "base64url").toString()) as { readonly iss?: unknown }).iss;
}
