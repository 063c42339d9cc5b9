import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import { extract } from "tar-stream";

import { Flotilla } from "../testing/flotilla.ts";

const flotilla = await Flotilla.prepare();
const secrets = new Map<string, Buffer>();
const state = join(flotilla.folder, "state");
const environment = {
  PATH: process.env["PATH"],
  HOME: flotilla.folder,
  XDG_STATE_HOME: state,
  AWS_REGION: "eu-central-1",
  AWS_SECRET_ACCESS_KEY: plant("secret key of the environment", randomBytes(30).toString("base64")),
  AWS_SESSION_TOKEN: plant("session token", randomBytes(90).toString("base64")),
  RESTIC_PASSWORD: plant("password with marks", `it's "pass" & wörd ${randomBytes(4).toString("hex")}`),
  CI_API_TOKEN: plant("token of something else", `tok-${randomBytes(6).toString("hex")}`),
  HTTPS_PROXY: `http://carrier:${plant("proxy's password", `pr0xy-${randomBytes(5).toString("hex")}`)}@127.0.0.1:9`,
  AZURE_CREDENTIALS_FILE: join(flotilla.folder, "azure"),
  GOOGLE_APPLICATION_CREDENTIALS: join(flotilla.folder, "google"),
};
const credentials = join(flotilla.folder, "credentials");
const customerKey = join(flotilla.folder, "customer-key");
await writeFile(
  credentials,
  `[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=${plant("key of the credentials file", randomBytes(30).toString("base64"))}\nregion=eu-central-1\n`,
);
await writeFile(
  environment.AZURE_CREDENTIALS_FILE,
  `AZURE_CLOUD_NAME=AzurePublicCloud\nAZURE_CLIENT_SECRET=${plant("client secret", `~a.B_${randomBytes(9).toString("base64url")}`)}\nMY_OWN_LINE="${plant("account key", randomBytes(64).toString("base64"))}"\n`,
);
const pem = `-----BEGIN PRIVATE KEY-----\n${plant("line of a PEM file", randomBytes(48).toString("base64"))}\n-----END PRIVATE KEY-----\n`;
await writeFile(
  environment.GOOGLE_APPLICATION_CREDENTIALS,
  JSON.stringify({ type: "service_account", private_key: pem }),
);
await writeFile(customerKey, plantBytes("encryption key", randomBytes(32)));

const userinfo = plant("userinfo of a key", `u5er-${randomBytes(5).toString("hex")}`);
const unknownValue = plant("value of an unknown key", `hunter2-${randomBytes(5).toString("hex")}`);
const bucket = [
  "--plugin",
  flotilla.plugin,
  "--provider",
  "disk",
  "--bucket",
  "b",
  "--config",
  `folder=${flotilla.store}`,
];
const configured = ["debug", "--provider", "aws", "--bucket", "my-backups", "--plugin", flotilla.plugin].concat(
  ["--credentials-file", credentials, "--config", `s3Url=https://access:${userinfo}@s3.example.com`],
  ["--config", `customerKeyEncryptionFile=${customerKey}`, "--config", `mistyped=${unknownValue}`],
);

test("secrets that are planted everywhere, in every form, are nowhere in the bundle", async () => {
  const logs = await flotilla.write({
    "velero.log": allForms(),
    "secret-token=hunter2.log": "level=info msg=started\n",
  });
  await mkdir(join(state, "flotilla", "crash-reports"), { recursive: true });
  await writeFile(
    join(state, "flotilla", "crash-reports", "2026-11-22.json"),
    JSON.stringify({ command: "/plugins/x", lastLines: allForms().split("\n") }),
  );
  const bundle = join(flotilla.folder, "all.tar.gz");

  const { exitCode, stdout, stderr } = await run([
    ...configured,
    "--to",
    bundle,
    "--log",
    join(logs, "velero.log"),
    "--log",
    join(logs, "secret-token=hunter2.log"),
  ]);

  assert.equal(exitCode, 0, stderr);
  const files = await readBundle(bundle);
  const everything = `${[...files].flat().join("\n")}\n${stdout}\n${stderr}`;
  for (const [name, secret] of secrets) {
    for (const { form, sought } of formsOf(secret)) assert.ok(!everything.includes(sought), `${name} as ${form}`);
  }
  assert.match(files.get("logs/1-velero.log") ?? "", /level=error msg="a line that matters"/);
  assert.match(files.get("crash-reports/2026-11-22.json") ?? "", /\/plugins\/x/);
});

test("what is no secret is in the bundle: keys, variables, versions and what could not be found out", async () => {
  const bundle = join(flotilla.folder, "useful.tar.gz");

  const { exitCode } = await run([...configured, "--to", bundle]);

  const files = await readBundle(bundle);
  const { backupStorageLocation } = JSON.parse(files.get("locations.json") ?? "") as {
    backupStorageLocation: { config: Record<string, string> };
  };
  assert.equal(exitCode, 0);
  assert.deepEqual(backupStorageLocation.config, {
    s3Url: "https://(redacted)@s3.example.com",
    customerKeyEncryptionFile: customerKey,
    mistyped: "(redacted)",
    bucket: "my-backups",
    prefix: "",
    credentialsFile: credentials,
  });
  const variables = JSON.parse(files.get("environment.json") ?? "") as Record<string, string>;
  assert.equal(variables["AWS_REGION"], "eu-central-1");
  assert.equal(variables["RESTIC_PASSWORD"], "(set, not shown)");
  assert.match(files.get("versions.json") ?? "", /"flotilla": "\d+\.\d+\.\d+"/);
  assert.match(files.get("versions.json") ?? "", /"digest": "sha256:[0-9a-f]{64}"/);
  // The plugin at hand is another's: that is a finding, and no reason to have no bundle.
  assert.match(files.get("checks.json") ?? "", /velero\.io\/aws/);
});

test("a plugin that crashed before is in the bundle, with its last lines", async () => {
  await run([
    "backup",
    "list",
    ...bucket.slice(0, -2),
    "--config",
    "folder=relative",
    "--config",
    "fault=crash-on-get",
  ]);
  const made = await run([
    "backup",
    "create",
    "one",
    "--from",
    await flotilla.write({ "a.yaml": configMap }),
    ...bucket,
  ]);
  assert.equal(made.exitCode, 0, made.stderr);
  const crashed = await run(["backup", "download", "one", ...bucket, "--config", "fault=crash-on-get"]);
  assert.match(crashed.stderr, /exited with code 7/);
  const bundle = join(flotilla.folder, "crashed.tar.gz");

  await run(["debug", ...bucket, "--to", bundle]);

  const reports = [...(await readBundle(bundle))].filter(([name]) => name.startsWith("crash-reports/"));
  assert.ok(reports.some(([, content]) => /"exitCode": 7/.test(content)));
});

test("a bundle is its owner's only, and one that is there is never replaced", async () => {
  const bundle = join(flotilla.folder, "twice.tar.gz");
  await run(["debug", "--plugin", flotilla.plugin, "--to", bundle]);
  const former = await readFile(bundle);

  const { exitCode, stderr } = await run(["debug", "--plugin", flotilla.plugin, "--to", bundle]);

  assert.equal(exitCode, 2);
  assert.match(stderr, /is there already/);
  assert.equal((await stat(bundle)).mode & 0o777, 0o600);
  assert.deepEqual(await readFile(bundle), former);
});

test("a log that cannot be read is said, and leaves no bundle", async () => {
  const bundle = join(flotilla.folder, "none.tar.gz");

  const { exitCode, stderr } = await run(["debug", "--plugin", flotilla.plugin, "--log", "nowhere", "--to", bundle]);

  assert.equal(exitCode, 2);
  assert.match(stderr, /--log nowhere cannot be read/);
  await assert.rejects(stat(bundle));
});

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: b }\n";

function plant(name: string, secret: string): string {
  plantBytes(name, Buffer.from(secret));
  return secret;
}

function plantBytes(name: string, secret: Buffer): Buffer {
  secrets.set(name, secret);
  return secret;
}

interface Form {
  readonly form: string;
  readonly planted: string;
  /** What of it is the secret's alone. */
  readonly sought: string;
}

/** Written anew, so that the test shares no misunderstanding with what it judges. */
function formsOf(secret: Buffer): readonly Form[] {
  const plain = secret.toString();
  const isText = Buffer.from(plain).equals(secret);
  const texts = {
    plain,
    URL: encodeURIComponent(plain),
    form: new URLSearchParams({ x: plain }).toString().slice(2),
    JSON: JSON.stringify(plain).slice(1, -1),
  };
  const base64 = ["", "a", "ab"].map((before) => {
    const planted = Buffer.concat([Buffer.from(before), secret, Buffer.from(":end")]).toString("base64");
    // Without the letters that the neighbours have a part in.
    const sought = planted.slice(4, Math.floor(((before.length + secret.length) * 4) / 3) - 1);
    return { form: `base64 behind ${before.length}`, planted, sought };
  });
  const hex = secret.toString("hex");
  return [
    ...(isText ? Object.entries(texts).map(([form, text]) => ({ form, planted: text, sought: text })) : []),
    ...base64,
    { form: "hex", planted: hex, sought: hex },
  ];
}

function allForms(): string {
  const lines = [...secrets.values()].flatMap((secret) =>
    formsOf(secret).flatMap(({ planted }) => [
      `level=info msg="request" value="${planted}" rest=x`,
      planted,
      `x=${planted}&y=1`,
    ]),
  );
  return [...lines, `level=error msg="a line that matters"`, ...lines, ""].join("\n");
}

async function run(words: readonly string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const main = join(import.meta.dirname, "..", "main.ts");
  const child = spawn(process.execPath, [main, ...words], { cwd: flotilla.folder, env: environment, stdio: "pipe" });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await closed, stdout, stderr };
}

async function readBundle(path: string): Promise<ReadonlyMap<string, string>> {
  const archive = extract();
  archive.end(gunzipSync(await readFile(path)));
  const files = new Map<string, string>();
  for await (const entry of archive) {
    files.set(entry.header.name.replace("flotilla-debug/", ""), await text(entry));
  }
  return files;
}
