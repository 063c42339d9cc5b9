import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { createFederatedIssuer } from "@flotilla/test/emulators";

import { failureOf } from "../wire/bytes.ts";
import { startGcsRig } from "./gcs-rig.ts";

// Where the token of somebody else's issuer comes from, in the forms that Google's library for Go takes.
const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool";
const audience = `${pool}/providers/cluster`;
const subject = "system:serviceaccount:velero:velero";
const target = "target@flotilla.iam.gserviceaccount.com";
const cluster = createFederatedIssuer();

const rig = await startGcsRig();
after(() => rig.close());
rig.identity.directory.addProvider({ audience, issuer: cluster.issuer, publicKey: cluster.publicKey });
rig.identity.directory.addServiceAccount({ email: target, tokenCreators: [`principal:${pool}/subject/${subject}`] });
const allowed = { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1" };

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, text);
  return path;
}

/** A program of the shell with these lines. */
async function programOf(name: string, ...lines: readonly string[]): Promise<string> {
  const path = await fileOf(name, ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(path, 0o700);
  return path;
}

/** The line of a program that prints an answer with a good token. */
function printing(changes: Readonly<Record<string, unknown>> = {}): string {
  return `echo '${JSON.stringify(answerWith(changes))}'`;
}

function answerWith(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    success: true,
    token_type: "urn:ietf:params:oauth:token-type:jwt",
    id_token: cluster.token(subject, { audience }),
    expiration_time: Math.floor(Date.now() / 1000) + 600,
    ...changes,
  };
}

describe("tokens of files", { concurrency: true, timeout: 240_000 }, () => {
  test("one that ends with a line's end is taken without it", async () => {
    const file = await fileOf("line", `${cluster.token(subject, { audience })}\n`);
    const credentials = rig.identity.externalAccount(audience, { file });

    const location = await rig.open("line", { credentials, session: rig.start() });

    assert.deepEqual(await location.list(), []);
  });

  test("empty fields of the other sources count as absent", async () => {
    const file = await fileOf("others", cluster.token(subject, { audience }));
    const others = { environment_id: "", url: "", executable: null };
    const credentials = rig.identity.externalAccount(audience, { file, ...others });

    const location = await rig.open("others", { credentials, session: rig.start() });

    assert.deepEqual(await location.list(), []);
  });
});

describe("tokens of programs", { concurrency: true, timeout: 240_000 }, () => {
  test("a program is told for whom its token is, and may warn on its standard error", async () => {
    const command = await programOf(
      "told",
      "echo 'a newer version of this program is available' >&2",
      `[ "$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE" = '${audience}' ] || exit 3`,
      `[ "$GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL" = '${target}' ] || exit 4`,
      '[ "$GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE$1$2" = "0--forone word" ] || exit 5',
      printing(),
    );
    const source = { executable: { command: `${command} --for "one word"`, timeout_millis: 20_000 } };
    const credentials = rig.identity.externalAccount(audience, source, target);

    const location = await rig.open("told", { credentials, session: rig.start(allowed) });

    assert.deepEqual(await location.list(), []);
  });

  test("a good answer in its output file is used, and an expired one is not", async () => {
    const command = await programOf("never", "exit 9");
    const good = await fileOf("good-answer", JSON.stringify(answerWith({})));
    const old = await fileOf("old-answer", JSON.stringify(answerWith({ expiration_time: 1 })));
    const credentialsWith = (file: string): string =>
      rig.identity.externalAccount(audience, { executable: { command, output_file: file } });
    const session = rig.start(allowed);

    const kept = await rig.open("kept", { credentials: credentialsWith(good), session });
    const expired = await rig.open("expired", { credentials: credentialsWith(old), session });

    assert.deepEqual(await kept.list(), []);
    assert.match((await failureOf(expired.list())).message, /ended with the code 9/);
  });

  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["garbage", ["echo secret-token"], /printed no JSON object/],
    ["failing", ["echo secret-token >&2", "exit 7"], /ended with the code 7/],
    ["refusing", [printing({ success: false, code: "401", message: "ask Ann" })], /gave no token: 401, "ask Ann"/],
    ["late", [printing({ expiration_time: 1 })], /an expired token/],
    ["endless", ["while :; do echo secret-token-secret-token-secret-token-secret-token; done"], /printed more than/],
    ["odd", [printing({ token_type: "odd" })], /no token of the token_type/],
  ];
  for (const [name, lines, pattern] of refusals) {
    test(`${name}: the failure is told, and nothing that the program printed`, async () => {
      const command = await programOf(name, ...lines);
      const credentials = rig.identity.externalAccount(audience, { executable: { command } });
      const location = await rig.open(`program-${name}`, { credentials, session: rig.start(allowed) });

      const error = await failureOf(location.list());

      assert.match(error.message, pattern);
      assert.match(error.message, new RegExp(command));
      assert.doesNotMatch(error.message, /secret-token|eyJ/);
    });
  }

  test("one that does not end is ended after its time, however it takes that", async () => {
    const command = await programOf("stuck", "trap '' TERM", "while :; do sleep 1; done");
    const credentials = rig.identity.externalAccount(audience, { executable: { command, timeout_millis: 5000 } });
    const location = await rig.open("program-stuck", { credentials, session: rig.start(allowed) });
    const beganMs = Date.now();

    const error = await failureOf(location.list());

    assert.match(error.message, /did not end within 5 s; raise its timeout_millis/);
    assert.ok(Date.now() - beganMs < 60_000);
  });

  test("a program that nobody allowed is not run", async () => {
    const command = await programOf("forbidden", printing());
    const credentials = rig.identity.externalAccount(audience, { executable: { command } });
    const location = await rig.open("program-forbidden", { credentials, session: rig.start() });

    const error = await failureOf(location.list());

    assert.match(error.message, /GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1/);
  });
});
