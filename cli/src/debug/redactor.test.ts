import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";

import { Redactor } from "./redactor.ts";

/** Printable texts of any length from 12 on, each between two others. */
const cases = Array.from({ length: 300 }, (_, index) => ({
  secret: printableText(12 + (index % 40)),
  before: printableText(index % 7),
  after: printableText(index % 5),
}));

test("a known secret is found as it is, in JSON, in URLs and in hex, wherever it stands", () => {
  for (const { secret, before, after } of cases) {
    const redactor = new Redactor([Buffer.from(secret)]);
    const forms = [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      encodeURIComponent(secret).replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
      Buffer.from(secret).toString("hex"),
      // As the server's log has it: Go escapes what HTML would take for markup.
      JSON.stringify(secret)
        .slice(1, -1)
        .replaceAll(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`),
      secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
      secret.replaceAll("'", "''"),
      secret.replaceAll("'", `'\\''`),
    ];
    for (const form of forms) assert.ok(!redactor.text(`${before} ${form} ${after}`).includes(form), form);
  }
});

test("a known secret is found in the middle of something in base64", () => {
  for (const { secret, before, after } of cases) {
    const redactor = new Redactor([Buffer.from(secret)]);
    for (const encoding of ["base64", "base64url"] as const) {
      const encoded = Buffer.from(before + secret + after).toString(encoding);

      const clean = redactor.text(`data: ${encoded}`).replace("data: ", "");

      const pieces = clean.split("(redacted)").map((piece) => Buffer.from(piece, encoding).toString());
      assert.ok(!pieces.some((piece) => piece.includes(secret)), secret);
    }
  }
});

test("a known secret is found in base64 of base64, however short", () => {
  for (const secret of ["horse-stab", "correct horse battery"]) {
    const twice = Buffer.from(Buffer.from(secret).toString("base64")).toString("base64");

    const clean = new Redactor([Buffer.from(secret)]).text(`key: ${twice}`);

    assert.ok(!clean.includes(twice.slice(0, -4)), clean);
  }
});

const unknown = "Zx9+kQ2/vLr8TnB4yWc7HdJ1mPf5sGaE3uXo6ViK";

test("what looks like a secret is taken out although nobody knows it", () => {
  const redactor = new Redactor([]);
  const lines = [
    `aws_secret_access_key = ${unknown}`,
    `got ${unknown} from the vault`,
    `https://user:${unknown.slice(9, 18)}@proxy.example.com:3128/`,
    `https://ghp_${unknown.slice(9, 18)}@git.example.com/`,
    `https://a.blob.core.windows.net/c/b?sv=2026&sig=${encodeURIComponent(unknown)}&se=2027`,
    `https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIDX&X-Amz-Signature=${unknown.slice(0, 12)}`,
    `Authorization: Bearer ${unknown.slice(0, 12)}`,
    `"password": "${unknown.slice(0, 8)} with spaces"`,
    `RESTIC_PASSWORD=${unknown.slice(0, 8)}`,
    `DefaultEndpointsProtocol=https;AccountKey=${unknown};`,
    `-----BEGIN PRIVATE KEY-----\n${unknown}\n-----END PRIVATE KEY-----`,
    `-----BEGIN RSA PRIVATE KEY-----\\n${unknown}\\n`,
    `token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${unknown.slice(8, 20)}`,
  ];
  for (const line of lines) {
    const clean = redactor.text(line);

    for (let start = 0; start + 8 <= unknown.length; start += 1) {
      assert.ok(!clean.includes(unknown.slice(start, start + 8)), `${line} became ${clean}`);
    }
  }
});

test("a short secret is taken out whole by its name, however it is written", () => {
  const redactor = new Redactor([]);
  const lines = [
    "password: correct horse",
    '{"level":"error","msg":"password: correct horse"}',
    "  client_secret: |\n    correct\n    horse\n  next: x",
    '"passwords": ["correct", "horse"]',
    '{"name":"RESTIC_PASSWORD","value":"correct horse"}',
    "- name: RESTIC_PASSWORD\n  value: horse",
    "restic --password horse; x --sas-token 'correct horse'",
    "authorization: Bearer horse",
    '"authorization":["Basic horse"]',
    "Set-Cookie: a=correct; session=horse",
    "https://user:corr@ect@horse@example.com/",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhorse\n-----END PGP PRIVATE KEY BLOCK-----",
    "bQIDAQAB\nhorse==\n-----END RSA PRIVATE KEY-----\nnext",
    "DB_PASS=horse",
    '"pass":"horse"',
    "MASTER_KEY=horse",
    "AZURE_STORAGE_SAS=horse",
    "x-functions-key: horse",
    "HTTPS_PROXY=carrier:horse@10.0.0.1:3128",
    "redis://:corr/horse@cache:6379/0",
    "curl -u user:horse https://example.com/",
    "machine example.com login user password horse",
    "the password is h0rse, password 'correct horse'".replace("h0rse", "corr3ct"),
    '"command":["restic","--password","horse"]',
    "restic --password-command 'echo horse'",
    "RESTIC_PASSWORD_COMMAND=echo correct horse",
    "<SecretAccessKey>horse</SecretAccessKey><d:Password a='b'>horse</d:Password>",
    "%7B%22client_secret%22%3A%22horse%22%7D",
    JSON.stringify(JSON.stringify(JSON.stringify({ password: "horse" }))),
    '{"value":"horse","name":"RESTIC_PASSWORD"}',
    'password = "correct horse and the line was cut',
    "password: 'it''s horse'",
    ':password => "correct horse"',
    "kind: Secret\ndata:\n  cloud: aG9yc2U=\n  other: horse\ntype: Opaque",
    '{"kind":"Secret","data":{"cloud":"horse"}}',
  ];
  for (const line of lines) assert.doesNotMatch(redactor.text(line), /corr|ect@|horse/, line);
  assert.match(redactor.text(lines[2] ?? ""), /next: x$/);
  const engine = { auths: { "r.example.com": { auth: Buffer.from("user:horse").toString("base64") } } };
  assert.doesNotMatch(redactor.text(JSON.stringify(engine)), /dXNlcjpob3JzZQ/);
});

test("a line of megabytes does not hold up the bundle", () => {
  const redactor = new Redactor([Buffer.from(unknown)]);
  const start = performance.now();

  for (const part of ["a", "-", "a.", "https://a", "secret", "secret: [", "a:"]) redactor.text(part.repeat(50_000));

  // Any of these would take minutes if it took the square of its length.
  assert.ok(performance.now() - start < 60_000);
});

test("in JSON a secret may be a number or a list as well", () => {
  const clean = new Redactor([]).json({
    password: 123_456,
    tokens: ["horse"],
    credential: { name: "cloud", key: "k" },
    secretKey: { value: "horse", others: [{ text: "horse" }], isSet: true },
  });

  assert.deepEqual(clean, {
    password: "(redacted)",
    tokens: "(redacted)",
    credential: { name: "cloud", key: "k" },
    secretKey: { value: "(redacted)", others: [{ text: "(redacted)" }], isSet: true },
  });
});

test("what is needed to understand a report stays", () => {
  const line =
    'put object "backups/nightly-2026-11-22/velero-backup.json" in bucket "my-backups-eu": HTTP 403 AccessDenied, ' +
    "request id 4442587FB7D0A2F9, snap-0123456789abcdef0, 2f1c6f0e-8f5b-4f3b-9d0a-0c8f5a1b2c3d, /opt/plugins/aws/dist/" +
    "flotilla-plugin-aws (pid 4711) exited with code 134 after 12.3 s, peak memory 150 MiB; s3:PutObject on arn:aws:s3:::b; " +
    "http://127.0.0.1:9000/my-backups?list-type=2 by 10.0.0.1:443, keys: region, prefix; password file is missing; " +
    "registry.example.com:5000/velero-plugin-for-aws@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef " +
    "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/MC_group_cluster_westeurope/providers/Microsoft.Compute/disks/pvc-1";

  assert.equal(new Redactor([Buffer.from(unknown)]).text(line), line);
});

function printableText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(randomInt(0x20, 0x7f))).join("");
}
