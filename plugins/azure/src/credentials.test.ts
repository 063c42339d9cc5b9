import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { isKind } from "@flotilla/sdk/plugin";
import { loopbackCertificate } from "@flotilla/sdk/testing";
import { readCredentialsFile } from "./credentials-file.ts";
import { createTokenCredential, describeIdentity, findIdentity, readFederatedToken } from "./credentials.ts";
import type { Identity } from "./credentials.ts";
import { writeCredentials } from "./testing/credentials-file.ts";

const pem = `${loopbackCertificate.cert}\n${loopbackCertificate.key}`;
const names = "AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\n";
const workload = {
  AZURE_FEDERATED_TOKEN_FILE: "/token",
  AZURE_CLIENT_ID: "pod-client",
  AZURE_TENANT_ID: "pod-tenant",
};

/** The identity that these lines give in a location's own file, or in the file of the environment. */
async function identityOf(
  t: TestContext,
  lines: string,
  env: Readonly<Record<string, string>> = {},
  isOwn = true,
): Promise<Identity> {
  const path = await writeCredentials(t, lines);
  const whole = isOwn ? env : { ...env, AZURE_CREDENTIALS_FILE: path };
  const file = await readCredentialsFile({
    credentialsFile: isOwn ? path : undefined,
    env: whole,
    signal: undefined,
  });
  return await findIdentity(file, whole);
}

test("a secret comes before a certificate, and both before the pod's and the node's identity", async (t) => {
  const secret = await identityOf(t, `${names}AZURE_CLIENT_SECRET=s\nAZURE_CLIENT_CERTIFICATE="${pem}"`, workload);
  const certificate = await identityOf(t, `${names}AZURE_CLIENT_CERTIFICATE="${pem}"`, workload);
  const pod = await identityOf(t, "A=b", workload);
  const node = await identityOf(t, "A=b");

  const proofs = [secret, certificate, pod].map((one) => (one.kind === "application" ? one.proof.kind : one.kind));
  assert.deepEqual([...proofs, node.kind], ["secret", "certificate", "federated", "managed"]);
});

test("an inline certificate comes before a file's", async (t) => {
  const identity = await identityOf(
    t,
    `${names}AZURE_CLIENT_CERTIFICATE='${pem}'\nAZURE_CLIENT_CERTIFICATE_PATH=/absent\n` +
      `AZURE_CLIENT_CERTIFICATE_PASSWORD=p\nAZURE_CLIENT_SEND_CERTIFICATE_CHAIN=TRUE`,
  );

  assert.ok(identity.kind === "application");
  assert.deepEqual(identity.proof, { kind: "certificate", pem, password: "p", sendsChain: true });
});

for (const [value, expected] of [
  ["1", true],
  ["true", true],
  ["yes", false],
  ["", false],
] as const) {
  test(`AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=${value} is ${expected}`, async (t) => {
    const identity = await identityOf(
      t,
      `${names}AZURE_CLIENT_CERTIFICATE='${pem}'\nAZURE_CLIENT_SEND_CERTIFICATE_CHAIN=${value}`,
    );

    assert.ok(identity.kind === "application" && identity.proof.kind === "certificate");
    assert.equal(identity.proof.sendsChain, expected);
  });
}

test("additionally allowed tenants are separated by semicolons", async (t) => {
  const lines = `${names}AZURE_CLIENT_SECRET=s\nAZURE_ADDITIONALLY_ALLOWED_TENANTS="one; two;"`;

  const identity = await identityOf(t, lines);

  assert.ok(identity.kind === "application");
  assert.deepEqual(identity.additionalTenants, ["one", "two"]);
});

test("a location's own lines choose among workload identities; the file for all does not", async (t) => {
  const own = await identityOf(t, names, workload);
  const shared = await identityOf(t, names, workload, false);

  assert.deepEqual(
    [describeIdentity(own), describeIdentity(shared)],
    ['application "client" of tenant "tenant"', 'application "pod-client" of tenant "pod-tenant"'],
  );
});

test("workload identity without a client id says what to do", async (t) => {
  await assert.rejects(
    identityOf(t, "A=b", { AZURE_FEDERATED_TOKEN_FILE: "/token" }),
    (error) => isKind(error, "invalid-config") && /azure\.workload\.identity\/client-id/.test(error.message),
  );
});

test("a managed identity is the one that the lines name, else the system's", async (t) => {
  const named = await identityOf(t, "AZURE_CLIENT_ID=client");
  const system = await identityOf(t, "A=b", { AZURE_CLIENT_ID: "of-another-program" });

  assert.deepEqual(
    [describeIdentity(named), describeIdentity(system)],
    ['the managed identity "client"', "the node's managed identity"],
  );
});

for (const [lines, whom, limitMs] of [
  [`${names}AZURE_CLIENT_SECRET=s`, "an authority", 15_000],
  ["AZURE_CLIENT_ID=client", "the metadata service", 30_000],
] as const) {
  test(`${whom} that is silent is given up before the layers give up a transfer`, async (t) => {
    const timeouts: number[] = [];
    const sendRequest: HttpClient["sendRequest"] = async ({ timeout }) => {
      timeouts.push(timeout);
      throw new Error("enough");
    };
    const options = {
      authorityHost: "https://authority.example",
      isAuthorityKnown: false,
      httpClient: { sendRequest },
    };
    const credential = createTokenCredential(await identityOf(t, lines), options);

    await assert.rejects(credential.getToken("https://storage.azure.com/.default"));

    assert.ok(timeouts.length > 0 && timeouts.every((one) => one === limitMs));
  });
}

test("the environment names a managed identity where there are no lines", async () => {
  const env = { AZURE_CLIENT_ID: "client" };

  const identity = await findIdentity(
    await readCredentialsFile({ credentialsFile: undefined, env, signal: undefined }),
    env,
  );

  assert.equal(describeIdentity(identity), 'the managed identity "client"');
});

for (const [title, lines, pattern] of [
  ["a user's password", `${names}AZURE_USERNAME=u\nAZURE_PASSWORD=p`, /AZURE_USERNAME/],
  ["a secret without a tenant", "AZURE_CLIENT_ID=c\nAZURE_CLIENT_SECRET=s", /AZURE_TENANT_ID/],
  ["a certificate without its key", `${names}AZURE_CLIENT_CERTIFICATE='${loopbackCertificate.cert}'`, /PEM/],
  ["a certificate file that is absent", `${names}AZURE_CLIENT_CERTIFICATE_PATH=/absent.pfx`, /absent\.pfx/],
] as const) {
  test(`${title} is refused by name`, async (t) => {
    await assert.rejects(
      identityOf(t, lines),
      (error) => isKind(error, "invalid-config") && pattern.test(error.message),
    );
  });
}

for (const [title, bytes] of [
  ["broken", Buffer.from("3082000102", "hex")],
  ["neither PEM nor PFX", Buffer.from("hello")],
] as const) {
  test(`a certificate file that is ${title} is refused by name`, async (t) => {
    const path = await writeCredentials(t, bytes);

    await assert.rejects(
      identityOf(t, `${names}AZURE_CLIENT_CERTIFICATE_PATH=${path}`),
      (error) => isKind(error, "invalid-config") && error.message.includes(path),
    );
  });
}

test("a federated token is read as it is at that moment", async (t) => {
  const path = await writeCredentials(t, "former\n");

  assert.equal(await readFederatedToken(path), "former");
  await writeFile(path, "latter\n");
  assert.equal(await readFederatedToken(path), "latter");
});

test("the environment's file that is absent or another cloud's is passed over; a location's own is not", async (t) => {
  const foreign = await writeCredentials(t, "[default]\naws_access_key_id = x");
  const read = async (credentialsFile: string | undefined, path: string): Promise<string | undefined> => {
    const env = { AZURE_CREDENTIALS_FILE: path };
    return (await readCredentialsFile({ credentialsFile, env, signal: undefined, clock: skipping })).path;
  };

  assert.deepEqual([await read(undefined, "/absent"), await read(undefined, foreign)], [undefined, undefined]);
  await assert.rejects(read("/absent", ""), (error) => isKind(error, "invalid-config"));
  await assert.rejects(read(foreign, ""), (error) => isKind(error, "invalid-config") && !/aws_/.test(error.message));
});

test("a mistake in the environment's own file of Azure is refused with its entry, and not passed over", async (t) => {
  const path = await writeCredentials(t, "AZURE_TENANT_ID=t\nAZURE_CLIENT_SECRET\n");
  const env = { AZURE_CREDENTIALS_FILE: path };

  await assert.rejects(
    readCredentialsFile({ credentialsFile: undefined, env, signal: undefined, clock: skipping }),
    (error) => isKind(error, "invalid-config") && /entry 2 is not of the form/.test(error.message),
  );
});

test("an environment's file that cannot be read is told where a line is missing", async () => {
  const env = { AZURE_CREDENTIALS_FILE: "/absent" };

  const { description } = await readCredentialsFile({
    credentialsFile: undefined,
    env,
    signal: undefined,
    clock: skipping,
  });

  assert.equal(description, 'the environment (the file "/absent" cannot be read)');
});

const skipping = {
  now: () => 0,
  idleMs: () => 0,
  sleep: async () => {},
  timer: () => ({ refresh: () => {}, cancel: () => {} }),
};
