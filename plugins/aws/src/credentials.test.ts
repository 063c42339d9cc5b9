import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import type { TestContext } from "node:test";
import { isKind, systemClock } from "@flotilla/sdk/plugin";
import type { Clock } from "@flotilla/sdk/plugin";
import type { AwsCredentialIdentityProvider } from "@smithy/types";
import { openCredentials } from "./credentials.ts";
import { readSharedConfig } from "./shared-config.ts";
import type { SharedConfigSource } from "./shared-config.ts";
import { startStubServer } from "@flotilla/sdk/testing";
import type { StubServer } from "@flotilla/sdk/testing";
import { createTransport } from "./transport.ts";

let folder = "";
let count = 0;
const impatient: Clock = { ...systemClock, sleep: async () => {} };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
});

after(async () => {
  await rm(folder, { recursive: true });
});

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
});

async function writeText(text: string): Promise<string> {
  count += 1;
  const path = join(folder, `file-${count}`);
  await writeFile(path, text);
  return path;
}

function keys(id: string): string {
  return `aws_access_key_id = ${id}\naws_secret_access_key = secret-of-${id}\n`;
}

async function open(source: Partial<SharedConfigSource>): Promise<AwsCredentialIdentityProvider> {
  const full = { credentialsFile: undefined, profile: undefined, env: {}, signal: undefined, ...source };
  const transport = await createTransport({
    env: full.env,
    caCert: undefined,
    caBundle: undefined,
    insecureSkipVerify: false,
  });
  const shared = await readSharedConfig(full);
  const sts = { region: "eu-west-1", useFipsEndpoint: false, useDualstackEndpoint: false };
  return await openCredentials({ source: full, shared, transport, sts });
}

async function keyOf(source: Partial<SharedConfigSource>): Promise<string> {
  return (await (await open(source))()).accessKeyId;
}

/** The SDK reads the endpoint of STS, and the sources of the default chain, from the process. */
async function startSts(t: TestContext, expiresInMs = 3_600_000): Promise<StubServer> {
  const server = await startStubServer(t, ({ body }) => {
    const action = new URLSearchParams(body.toString()).get("Action") ?? "";
    const expiration = new Date(Date.now() + expiresInMs).toISOString();
    return {
      headers: { "content-type": "text/xml" },
      body: `<${action}Response><${action}Result><Credentials><AccessKeyId>${action}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></${action}Result></${action}Response>`,
    };
  });
  process.env["AWS_ENDPOINT_URL_STS"] = server.url.href;
  return server;
}

test("a location's file that is missing is named", async () => {
  const credentialsFile = join(folder, "absent");

  await assert.rejects(
    keyOf({ credentialsFile }),
    (error) => isKind(error, "invalid-config") && error.message.includes(credentialsFile),
  );
});

test("a profile that the location's file lacks is named", async () => {
  const credentialsFile = await writeText(`[default]\n${keys("A")}`);

  await assert.rejects(
    keyOf({ credentialsFile, profile: "other", clock: impatient }),
    (error) => isKind(error, "invalid-config") && /profile "other" of the credentials file/.test(error.message),
  );
});

test("half a key pair is refused without printing it", async () => {
  const credentialsFile = await writeText("[default]\naws_access_key_id = AKIAHALF\n");

  await assert.rejects(
    keyOf({ credentialsFile, clock: impatient }),
    (error) => isKind(error, "invalid-config") && !error.message.includes("AKIAHALF"),
  );
});

test("a file that stays empty is refused", async () => {
  const credentialsFile = await writeText("");

  await assert.rejects(keyOf({ credentialsFile, clock: impatient }), (error) => isKind(error, "invalid-config"));
});

test("a file that has been empty for long is not waited for", async () => {
  const AWS_SHARED_CREDENTIALS_FILE = await writeText("");
  await utimes(AWS_SHARED_CREDENTIALS_FILE, 0, 0);
  const naps: number[] = [];
  const clock: Clock = { ...systemClock, sleep: async (ms) => void naps.push(ms) };
  const source = { credentialsFile: undefined, profile: undefined, signal: undefined, clock };

  await readSharedConfig({ ...source, env: { AWS_SHARED_CREDENTIALS_FILE } });

  assert.deepEqual(naps, []);
});

test("an empty file is read again until it is written", async () => {
  const credentialsFile = await writeText("");
  const opening = keyOf({ credentialsFile });
  await systemClock.sleep(50);
  await writeFile(credentialsFile, `[default]\n${keys("LATE")}`);

  assert.equal(await opening, "LATE");
});

test("a half-written key pair is read again until it is whole", async () => {
  const credentialsFile = await writeText("[default]\naws_access_key_id = LATE\n");
  const opening = keyOf({ credentialsFile });
  await systemClock.sleep(50);
  await writeFile(credentialsFile, `[default]\n${keys("LATE")}`);

  assert.equal(await opening, "LATE");
});

test("the location's file wins over the environment and leaves it as it is", async () => {
  const credentialsFile = await writeText(`[default]\n${keys("FILE")}`);
  const env = {
    AWS_ACCESS_KEY_ID: "ENV",
    AWS_SECRET_ACCESS_KEY: "s",
    AWS_SHARED_CREDENTIALS_FILE: "/absent",
    AWS_WEB_IDENTITY_TOKEN_FILE: "/absent",
    AWS_ROLE_ARN: "arn:aws:iam::1:role/r",
  };
  Object.assign(process.env, env);

  assert.equal(await keyOf({ credentialsFile, env }), "FILE");
  assert.equal(process.env["AWS_ROLE_ARN"], env.AWS_ROLE_ARN);
  assert.equal(process.env["AWS_SHARED_CREDENTIALS_FILE"], "/absent");
});

test("two locations in one process keep their own identities", async () => {
  const first = await open({ credentialsFile: await writeText(`[default]\n${keys("ONE")}`) });
  const second = await open({ credentialsFile: await writeText(`[default]\n${keys("TWO")}`) });

  assert.deepEqual([(await first()).accessKeyId, (await second()).accessKeyId], ["ONE", "TWO"]);
});

for (const header of ["[p]", "[profile p]"])
  test(`a section ${header} is the profile p`, async () => {
    const credentialsFile = await writeText(`[default]\n${keys("A")}\n${header}\n${keys("B")}aws_session_token = T\n`);
    const provider = await open({ credentialsFile, profile: "p" });

    const { accessKeyId, sessionToken } = await provider();

    assert.deepEqual([accessKeyId, sessionToken], ["B", "T"]);
  });

test("keys in upper case and Windows line ends are understood", async () => {
  const credentialsFile = await writeText("[default]\r\nAWS_ACCESS_KEY_ID=UP\r\nAWS_SECRET_ACCESS_KEY=s\r\n");

  assert.equal(await keyOf({ credentialsFile }), "UP");
});

test("a role is assumed with the source profile's keys", async (t) => {
  const sts = await startSts(t);
  const role = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n";
  const credentialsFile = await writeText(`[base]\n${keys("BASE")}\n${role}`);

  assert.equal(await keyOf({ credentialsFile, profile: "p" }), "AssumeRole");
  assert.match(String(sts.seen[0]?.headers["authorization"]), /Credential=BASE\/\d+\/eu-west-1\/sts/);
});

test("a role beside keys is assumed with them", async (t) => {
  const sts = await startSts(t);
  const credentialsFile = await writeText(`[default]\n${keys("BASE")}role_arn = arn:aws:iam::1:role/r\n`);

  assert.equal(await keyOf({ credentialsFile }), "AssumeRole");
  assert.match(String(sts.seen[0]?.headers["authorization"]), /Credential=BASE\//);
});

test("a role beside a process is assumed with what it prints", async (t) => {
  const sts = await startSts(t);
  const script = await writeText('echo \'{"Version":1,"AccessKeyId":"PROC","SecretAccessKey":"s"}\'\n');
  const credentialsFile = await writeText(
    `[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_process = sh ${script}\n`,
  );

  assert.equal(await keyOf({ credentialsFile }), "AssumeRole");
  assert.match(String(sts.seen[0]?.headers["authorization"]), /Credential=PROC\//);
});

test("quoted keys are used without their quotes", async () => {
  const credentialsFile = await writeText(`[ default ]\naws_access_key_id = "Q"\naws_secret_access_key: 's'\n`);

  assert.deepEqual(await (await open({ credentialsFile }))(), { accessKeyId: "Q", secretAccessKey: "s" });
});

test("a web identity of the profile is exchanged through the location's proxy", async (t) => {
  const sts = await startSts(t);
  process.env["AWS_ENDPOINT_URL_STS"] = "http://sts.example";
  const token = await writeText("token");
  const credentialsFile = await writeText(
    `[default]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = ${token}\n`,
  );

  const provider = await open({ credentialsFile, env: { HTTP_PROXY: sts.url.href } });

  assert.equal((await provider()).accessKeyId, "AssumeRoleWithWebIdentity");
});

test("a credential process of the profile is run", async () => {
  const script = await writeText('#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"PROC","SecretAccessKey":"s"}\'\n');
  await chmod(script, 0o755);
  const credentialsFile = await writeText(`[default]\ncredential_process = ${script}\n`);

  assert.equal(await keyOf({ credentialsFile }), "PROC");
});

test("a role that STS refuses fails the opening with its code", async (t) => {
  const sts = await startStubServer(t, () => ({
    status: 403,
    headers: { "content-type": "text/xml" },
    body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error><RequestId>R</RequestId></ErrorResponse>",
  }));
  process.env["AWS_ENDPOINT_URL_STS"] = sts.url.href;
  const credentialsFile = await writeText(
    `[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[base]\n${keys("A")}`,
  );

  await assert.rejects(
    keyOf({ credentialsFile }),
    (error) => isKind(error, "denied") && error.code === "AccessDenied" && error.message.includes("sts:AssumeRole"),
  );
});

test("credentials about to expire are fetched again, others are kept", async (t) => {
  const sts = await startSts(t, 60_000);
  const credentialsFile = await writeText(
    `[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[base]\n${keys("A")}`,
  );
  const provider = await open({ credentialsFile });
  const before = sts.seen.length;

  await provider();

  assert.equal(sts.seen.length, before + 1);
});

/** A script that prints credentials which end in a while, as long as its file of them is there. */
async function writeProcess(endsInMs: number): Promise<{ readonly credentialsFile: string; readonly answer: string }> {
  const Expiration = new Date(Date.now() + endsInMs).toISOString();
  const answer = await writeText(JSON.stringify({ Version: 1, AccessKeyId: "PROC", SecretAccessKey: "s", Expiration }));
  return { answer, credentialsFile: await writeText(`[default]\ncredential_process = cat ${answer}\n`) };
}

test("credentials that cannot be renewed are used until they end", async () => {
  const { credentialsFile, answer } = await writeProcess(180_000);
  const provider = await open({ credentialsFile });
  await rm(answer);

  assert.equal((await provider()).accessKeyId, "PROC");
  assert.equal((await provider()).accessKeyId, "PROC");
});

test("credentials that have ended are not used any more", async (t) => {
  const { credentialsFile, answer } = await writeProcess(180_000);
  const provider = await open({ credentialsFile });
  await rm(answer);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 180_000 });

  await assert.rejects(provider(), (error) => isKind(error, "invalid-config"));
});

test("an instance's credentials are asked for again where the metadata service stumbles", async (t) => {
  let stumbles = 1;
  const imds = await startStubServer(t, ({ url: path }) => {
    if (path === "/latest/api/token") return { body: "token" };
    if (path.endsWith("/security-credentials/")) return { body: "role" };
    stumbles -= 1;
    if (stumbles >= 0) return { status: 500 };
    return {
      body: JSON.stringify({
        AccessKeyId: "EC2",
        SecretAccessKey: "s",
        Token: "t",
        Expiration: "2999-01-01T00:00:00Z",
      }),
    };
  });
  process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = imds.url.origin;

  assert.equal(await keyOf({ env: {} }), "EC2");
});

test("static keys of the environment win over its file, unless the location names a profile", async () => {
  const file = await writeText(`[default]\n${keys("FILE")}\n[p]\n${keys("P")}`);
  const env = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "s" };

  assert.equal(await keyOf({ env }), "ENV");
  assert.equal(await keyOf({ env, profile: "p" }), "P");
});

test("the environment's file hides web identity", async () => {
  const env = {
    AWS_SHARED_CREDENTIALS_FILE: await writeText(`[default]\n${keys("FILE")}`),
    AWS_WEB_IDENTITY_TOKEN_FILE: "/absent",
    AWS_ROLE_ARN: "arn:aws:iam::1:role/r",
  };

  assert.equal(await keyOf({ env }), "FILE");
});

test("a file of another cloud in the environment falls on to the container's credentials", async (t) => {
  const container = await startStubServer(t, () => ({
    body: JSON.stringify({ AccessKeyId: "POD", SecretAccessKey: "s", Token: "t", Expiration: "2999-01-01T00:00:00Z" }),
  }));
  const AWS_SHARED_CREDENTIALS_FILE = await writeText("AZURE_CLIENT_ID=x\n");
  process.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = `${container.url.href}creds`;

  assert.equal(await keyOf({ env: { AWS_SHARED_CREDENTIALS_FILE }, clock: impatient }), "POD");
});

test("web identity of the environment is exchanged where no file is named", async (t) => {
  await startSts(t);
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: await writeText("token"), AWS_ROLE_ARN: "arn:aws:iam::1:role/r" };
  Object.assign(process.env, env);

  assert.equal(await keyOf({ env }), "AssumeRoleWithWebIdentity");
});

test("opening without a file asks nobody", async () => {
  const provider = await open({ env: {} });

  assert.equal(typeof provider, "function");
});
