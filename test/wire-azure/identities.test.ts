import assert from "node:assert/strict";
import { createPrivateKey, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { azureDefaults, createFederatedIssuer } from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { absenceWords } from "../wire/absence.ts";
import { failureOf } from "../wire/bytes.ts";
import { accountKey, startCloudRig } from "./blob-rig.ts";
import type { LocationOptions } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const certificate = createThrowawayCertificate("client", "rsa");
const cluster = createFederatedIssuer();
const { tenantId } = azureDefaults;
const application = (clientId: string) => ({ tenantId, clientId, objectId: `object-${clientId}` });
const federated = {
  issuer: cluster.issuer,
  subject: "system:serviceaccount:velero:velero",
  publicKey: cluster.publicKey,
};

const rig = await startCloudRig({
  account: {
    roles: {
      "object-reader": "reader",
      "object-none": "none",
      "object-owner": "contributor",
      "object-certified": "contributor",
      "object-pod": "contributor",
      "object-other-pod": "contributor",
      "object-node": "contributor",
    },
  },
  identity: {
    applications: [
      { ...application(azureDefaults.clientId), objectId: "object-owner", secrets: [azureDefaults.clientSecret] },
      { ...application("reader"), secrets: ["reader-secret"] },
      { ...application("none"), secrets: ["none-secret"] },
      { ...application("expired"), secrets: [{ value: "old-secret", expires: new Date(0) }] },
      { ...application("certified"), certificates: [certificate.cert] },
      { ...application("pod"), federated: [federated] },
      { ...application("other-pod"), federated: [federated] },
    ],
    managedIdentities: [{ ...application("node"), resourceId: "/subscriptions/s/resourceGroups/g/providers/x/y" }],
  },
});
after(() => rig.close());

/** A location that uses tokens and nothing else. */
function tokens(lines: Readonly<Record<string, string>>, options: LocationOptions = {}): LocationOptions {
  return { ...options, lines, config: { useAAD: "true", ...options.config } };
}

function secretOf(clientId: string, secret: string): Record<string, string> {
  return { ...ownerLines, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: secret };
}

/** Whose token the last request for a container had. */
function clientOf(bucket: string): unknown {
  const token = rig.requestsOf(bucket).at(-1)?.headers.get("authorization") ?? "";
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return (claims as { readonly appid?: unknown }).appid;
}

const certifiedLines = { ...ownerLines, AZURE_CLIENT_ID: "certified", AZURE_CLIENT_SECRET: "" };
const pem = `${certificate.cert}\n${certificate.key}`;
const encryption = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "pass word" } as const;
const encryptedPem = `${certificate.cert}\n${createPrivateKey(certificate.key).export(encryption)}`;

/** The environment that the webhook of workload identity gives a pod. */
async function podEnvironment(clientId: string, token: string): Promise<Record<string, string>> {
  const file = join(rig.folder, `token-${randomUUID()}`);
  await writeFile(file, token);
  return {
    AZURE_FEDERATED_TOKEN_FILE: file,
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_AUTHORITY_HOST: rig.arm.authorityUrl,
  };
}

describe("an identity that does not work", { concurrency: true, timeout: 600_000 }, () => {
  for (const [name, lines, pattern] of [
    ["a wrong secret", secretOf(azureDefaults.clientId, "not-the-secret"), /AADSTS7000215/],
    ["an expired secret", secretOf("expired", "old-secret"), /AADSTS7000222.*make a new one/],
    ["an unknown application", secretOf("nobody", "x"), /AADSTS700016/],
  ] as const) {
    test(`${name} is denied with the reason, and no secret is told`, async () => {
      const location = await rig.open(name.replaceAll(" ", "-"), tokens(lines));

      const error = await failureOf(location.list());

      assert.equal(error.kind, "denied");
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /not-the-secret|old-secret/);
      assert.doesNotMatch(error.message, absenceWords);
    });
  }

  test("an old client id that stands before the pod's own is named as what to remove", async () => {
    const session = rig.start(await podEnvironment("pod", cluster.token(federated.subject)));
    const lines = { ...ownerLines, AZURE_CLIENT_SECRET: "" };
    const location = await rig.open("old-client-id", tokens(lines, { session }));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /AADSTS7002.*AZURE_CLIENT_ID .* stands before the pod's application "pod": remove/);
  });

  test("a tenant that the authority does not know is named with the line to check", async () => {
    const lines = { ...ownerLines, AZURE_TENANT_ID: "99999999-9999-4999-8999-999999999999" };
    const location = await rig.open("unknown-tenant", tokens(lines));

    const error = await failureOf(location.list());

    assert.match(error.message, /99999999.*check AZURE_TENANT_ID/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a certificate whose key has another password is denied with what is wrong", async () => {
    const lines = {
      ...certifiedLines,
      AZURE_CLIENT_CERTIFICATE: encryptedPem,
      AZURE_CLIENT_CERTIFICATE_PASSWORD: "other",
    };
    const location = await rig.open("wrong-password", tokens(lines));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /decrypt/);
  });

  test("an identity without a role is denied by name, with the role to grant", async () => {
    const location = await rig.open("no-role", tokens(secretOf("none", "none-secret")));

    const error = await failureOf(location.get("contents"));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /read object "contents" in bucket "no-role".*Storage Blob Data Contributor/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("an identity that may only read is denied a put and a deletion", async () => {
    const location = await rig.open("read-only", tokens(secretOf("reader", "reader-secret")));

    const put = await failureOf(location.put("contents", Buffer.from("x")));
    const deletion = await failureOf(location.store.deleteObject(location.at("contents")));

    assert.deepEqual([put.kind, deletion.kind], ["denied", "denied"]);
    assert.equal(await location.exists("contents"), false);
  });

  test("a token that the store refuses is denied, and the message does not hold it", async () => {
    const session = rig.start();
    const location = await rig.open("token-refused", tokens(ownerLines, { session }));
    await location.put("contents", Buffer.from("x"));
    const refusal = { kind: "error", status: 401, code: "InvalidAuthenticationInfo" } as const;
    rig.blob.faults.add(refusal, { bucket: "token-refused" }, { times: 1000 });

    const error = await failureOf(location.get("contents"));

    assert.equal(error.kind, "denied");
    assert.doesNotMatch(error.message, /eyJ/);
  });

  test("a federated token of another subject is denied with what to check", async () => {
    const env = await podEnvironment("pod", cluster.token("system:serviceaccount:other:other"));
    const location = await rig.open("wrong-subject", tokens({}, { session: rig.start(env) }));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /federated credential/);
  });

  test("a federated token file that is gone is named", async () => {
    const env = { ...(await podEnvironment("pod", "x")), AZURE_FEDERATED_TOKEN_FILE: "/absent/token" };
    const location = await rig.open("no-token-file", tokens({}, { session: rig.start(env) }));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /\/absent\/token/);
  });

  test("an authority that cannot be reached is unavailable and named", async () => {
    const config = { activeDirectoryAuthorityURI: "https://127.0.0.1:1" };
    const location = await rig.open("no-authority", tokens(ownerLines, { config }));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /127\.0\.0\.1:1/);
  });

  test("a managed identity that the node does not have is denied", async () => {
    const session = rig.start(rig.arm.identity.imdsEnvironment);
    const location = await rig.open("no-such-identity", tokens({ AZURE_CLIENT_ID: "stranger" }, { session }));

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /managed identity "stranger"/);
  });
});

describe("the lines of a credentials file that cannot work", { concurrency: true }, () => {
  for (const [name, lines, pattern] of [
    [
      "a user's password",
      { ...ownerLines, AZURE_CLIENT_SECRET: "", AZURE_USERNAME: "u", AZURE_PASSWORD: "p" },
      /AZURE_USERNAME/,
    ],
    ["a secret without a tenant", { ...ownerLines, AZURE_TENANT_ID: "" }, /AZURE_TENANT_ID/],
    ["a secret without an application", { ...ownerLines, AZURE_CLIENT_ID: "" }, /AZURE_CLIENT_ID/],
    ["a certificate without its key", { ...certifiedLines, AZURE_CLIENT_CERTIFICATE: certificate.cert }, /PEM/],
    ["an unknown cloud", { ...ownerLines, AZURE_CLOUD_NAME: "AzureMoonCloud" }, /AZURE_CLOUD_NAME/],
    [
      "a certificate file that is gone",
      { ...certifiedLines, AZURE_CLIENT_CERTIFICATE_PATH: "/absent.pem" },
      /absent\.pem/,
    ],
  ] as const) {
    test(`${name} fails the opening by name`, async () => {
      const error = await failureOf(rig.open(`line-${name.replaceAll(/[^a-z]/g, "-")}`, tokens(lines)));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, absenceWords);
    });
  }

  test("a key line that is missing fails the opening, and its name is not taken for a variable", async () => {
    const session = rig.start({ MISSING: accountKey });
    const options = { session, lines: ownerLines, config: { storageAccountKeyEnvVar: "MISSING" } };

    const error = await failureOf(rig.open("key-line", options));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /storageAccountKeyEnvVar/);
  });

  for (const [name, text] of [
    ["empty", ""],
    ["another-cloud", "[default]\naws_access_key_id = x\n"],
  ] as const) {
    test(`a file that is ${name} fails the opening by name`, async () => {
      const credentialsFile = join(rig.folder, `${name}.file`);
      await writeFile(credentialsFile, text);
      const options = { config: { credentialsFile, storageAccountKeyEnvVar: "STORAGE_KEY" } };

      const error = await failureOf(rig.open(`file-${name}`, options));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, new RegExp(name));
    });
  }
});

describe("identities that work", { concurrency: true, timeout: 600_000 }, () => {
  async function worksAs(bucket: string, options: LocationOptions): Promise<void> {
    const location = await rig.open(bucket, options);
    await location.put("contents", Buffer.from(bucket));
    assert.equal((await location.get("contents")).toString(), bucket);
  }

  test("an application with its secret", async () => {
    await worksAs("by-secret", tokens(ownerLines));
  });

  test("an application with a certificate in the line", async () => {
    await worksAs("by-inline-certificate", tokens({ ...certifiedLines, AZURE_CLIENT_CERTIFICATE: pem }));
  });

  test("an application with a certificate as the official page writes it: in one line, after its key", async () => {
    const line = `${certificate.key}\n${certificate.cert}`.trimEnd().replaceAll("\n", String.raw`\n`);
    const credentialsFile = join(rig.folder, "one-line.env");
    const names = `AZURE_TENANT_ID=${tenantId}\nAZURE_CLIENT_ID=certified\n`;
    await writeFile(credentialsFile, `${names}AZURE_CLIENT_CERTIFICATE="${line}\\n"\n`);

    await worksAs("by-one-line", tokens({}, { config: { credentialsFile } }));
  });

  test("a certificate that comes after its chain is found by its key", async () => {
    const chain = createThrowawayCertificate("issuing authority", "rsa").cert;
    const lines = { ...certifiedLines, AZURE_CLIENT_CERTIFICATE_PASSWORD: "pass word" };

    await worksAs("by-chain", tokens({ ...certifiedLines, AZURE_CLIENT_CERTIFICATE: `${chain}\n${pem}` }));
    await worksAs("by-sealed-chain", tokens({ ...lines, AZURE_CLIENT_CERTIFICATE: `${chain}\n${encryptedPem}` }));
  });

  test("an application with a certificate in a file, which sends its chain", async () => {
    const path = join(rig.folder, "client.pem");
    await writeFile(path, pem);
    const chain = { AZURE_CLIENT_CERTIFICATE_PATH: path, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: "True" };
    await worksAs("by-certificate-file", tokens({ ...certifiedLines, ...chain }));
  });

  test("an application with a certificate whose key has a password", async () => {
    const lines = { AZURE_CLIENT_CERTIFICATE: encryptedPem, AZURE_CLIENT_CERTIFICATE_PASSWORD: "pass word" };
    await worksAs("by-encrypted-key", tokens({ ...certifiedLines, ...lines }));
  });

  test("workload identity", async () => {
    const env = await podEnvironment("pod", cluster.token(federated.subject));
    await worksAs("by-workload", tokens({}, { session: rig.start(env) }));
  });

  test("two locations of one process with a workload identity each", async () => {
    const session = rig.start(await podEnvironment("pod", cluster.token(federated.subject)));
    await worksAs("workload-one", tokens({}, { session }));
    await worksAs("workload-two", tokens({ AZURE_CLIENT_ID: "other-pod" }, { session }));

    assert.deepEqual([clientOf("workload-one"), clientOf("workload-two")], ["pod", "other-pod"]);
  });

  test("the node's managed identity", async () => {
    const session = rig.start(rig.arm.identity.imdsEnvironment);
    await worksAs("by-node", tokens({ AZURE_CLIENT_ID: "node" }, { session }));
  });

  test("a token while the authority says nothing at first", async () => {
    const session = rig.start();
    const location = await rig.open("slow-authority", tokens(ownerLines, { session }));
    rig.arm.faults.add({ kind: "delay", ms: 500 }, {}, { times: 2 });

    const [one, two] = await Promise.all([location.list(), location.list()]);

    assert.deepEqual([one, two], [[], []]);
  });
});

describe("the account's access key", { concurrency: true, timeout: 600_000 }, () => {
  test("it is asked of Resource Manager where the location neither has it nor uses tokens", async () => {
    const location = await rig.open("exchanged", { lines: ownerLines });
    await location.put("contents", Buffer.from("x"));

    const [put] = rig.requestsOf("exchanged", "PutBlob");
    assert.match(put?.headers.get("authorization") ?? "", /^SharedKey flotilla:/);
  });

  test("without storageAccountURI the endpoint is asked for as well", async () => {
    const location = await rig.open("asked-endpoint", { lines: ownerLines, without: ["storageAccountURI"] });

    await location.put("contents", Buffer.from("x"));

    assert.equal((await location.get("contents")).toString(), "x");
  });

  test("with storageAccountURI the account's name may be left out", async () => {
    const location = await rig.open("named-by-uri", { without: ["storageAccount"] });

    await location.put("contents", Buffer.from("x"));

    assert.equal((await location.get("contents")).toString(), "x");
  });

  test("a key in the line AZURE_STORAGE_KEY needs no other key of the location", async () => {
    const location = await rig.open("storage-key", { lines: { AZURE_STORAGE_KEY: accountKey } });

    assert.deepEqual(await location.list(), []);
  });

  test("an old AZURE_STORAGE_KEY beside an identity that may ask for a key is not used", async () => {
    const lines = { ...ownerLines, AZURE_STORAGE_KEY: Buffer.alloc(64, 1).toString("base64") };
    const location = await rig.open("old-storage-key", { lines });

    assert.deepEqual(await location.list(), []);
  });

  test("with useAAD the key in AZURE_STORAGE_KEY is used, at the endpoint that Azure names", async () => {
    const lines = { ...ownerLines, AZURE_STORAGE_KEY: accountKey };
    const location = await rig.open("key-of-aad", tokens(lines, { without: ["storageAccountURI"] }));

    assert.deepEqual(await location.list(), []);

    const schemes = rig.requestsOf("key-of-aad").map(({ headers }) => headers.get("authorization")?.split(" ")[0]);
    assert.deepEqual(schemes, ["SharedKey"]);
  });

  test("a wrong key is denied, and the message holds neither the key nor the signature", async () => {
    const wrong = Buffer.alloc(64, 1).toString("base64");
    const location = await rig.open("wrong-key", { lines: { AZURE_STORAGE_KEY: wrong } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /AuthenticationFailed/);
    assert.ok(!error.message.includes(wrong));
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a key that was replaced is asked for again", async () => {
    const session = rig.start();
    const location = await rig.open("replaced-key", { lines: ownerLines, session });
    await location.put("contents", Buffer.from("x"));
    const refusal = { kind: "error", status: 403, code: "AuthenticationFailed" } as const;
    const fault = rig.blob.faults.add(refusal, { bucket: "replaced-key" });

    assert.equal((await location.get("contents")).toString(), "x");
    assert.equal(fault.hits, 1);
  });

  test("an identity that may not list keys is denied with the permission and the way around it", async () => {
    const allow = rig.arm.deny({ actions: ["Microsoft.Storage/storageAccounts/listkeys/action"], clientId: "none" });
    const location = await rig.open("no-list-keys", { lines: secretOf("none", "none-secret") });

    const error = await failureOf(location.list());
    allow();

    assert.equal(error.kind, "denied");
    assert.match(error.message, /listKeys\/action.*useAAD/i);
  });

  test("a location without subscription fails the opening and names key and line", async () => {
    const lines = { ...ownerLines, AZURE_SUBSCRIPTION_ID: "" };

    const error = await failureOf(rig.open("no-subscription", { lines }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /subscriptionId.*AZURE_SUBSCRIPTION_ID/);
  });

  test("a location with neither account nor URI fails the opening", async () => {
    const without = ["storageAccount", "storageAccountURI"];

    const error = await failureOf(rig.open("no-account", { without }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /storageAccount/);
  });
});

describe("a credentials file that is being written", { concurrency: true }, () => {
  test("it is read again until it has the line that the location names", async () => {
    const credentialsFile = join(rig.folder, "late.env");
    await writeFile(credentialsFile, "");
    const config = { credentialsFile, storageAccountKeyEnvVar: "STORAGE_KEY" };
    const opening = rig.open("late-file", { config });
    await delay(150);
    await writeFile(credentialsFile, "STORAGE_");
    await delay(100);
    await writeFile(credentialsFile, `STORAGE_KEY=${accountKey}\n`);

    const location = await opening;

    assert.deepEqual(await location.list(), []);
  });

  test("the environment's file serves every location that has none", async () => {
    const path = await rig.writeCredentials("for-all", { AZURE_STORAGE_KEY: accountKey });
    const session = rig.start({ AZURE_CREDENTIALS_FILE: path });

    const location = await rig.open("for-everybody", { session, lines: {}, without: ["credentialsFile"] });

    assert.deepEqual(await location.list(), []);
  });

  test("an environment's file of another cloud is passed over", async () => {
    const path = join(rig.folder, "aws.ini");
    await writeFile(path, "[default]\naws_access_key_id = x\n");
    const env = { ...rig.arm.identity.imdsEnvironment, AZURE_CREDENTIALS_FILE: path, AZURE_CLIENT_ID: "node" };

    const location = await rig.open("not-ours", tokens({}, { session: rig.start(env), without: ["credentialsFile"] }));

    assert.deepEqual(await location.list(), []);
  });
});
