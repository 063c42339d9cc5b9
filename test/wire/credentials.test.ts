import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { absenceWords } from "./absence.ts";
import { failureOf } from "./bytes.ts";
import { credentialsText, owner, pluginCommand } from "./harness.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

/** Writes a credentials file into the test's folder and answers its path. */
async function fileOf(name: string, text: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, text);
  return path;
}

describe("a credentials file", { concurrency: true }, () => {
  test("one that is missing fails the opening without the words of an absent object", async () => {
    const credentialsFile = join(rig.folder, "no-such-file");

    const error = await failureOf(rig.open("missing-file", { config: { credentialsFile } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /no-such-file/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("one that stays empty fails the opening and is named", async () => {
    const credentialsFile = await fileOf("stays-empty", "");

    const error = await failureOf(rig.open("empty-file", { config: { credentialsFile } }));

    assert.match(error.message, /stays-empty/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("one without the named profile fails the opening and names the profile", async () => {
    const credentialsFile = await fileOf("one-profile", credentialsText(owner));

    const error = await failureOf(rig.open("no-profile", { config: { credentialsFile, profile: "backups" } }));

    assert.match(error.message, /backups/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("one that is empty at first and filled half a second later is waited for", async () => {
    const credentialsFile = await fileOf("filled-later", "");
    const opening = rig.open("filled-later", { config: { credentialsFile } });
    await delay(500);
    await writeFile(credentialsFile, credentialsText(owner));

    assert.deepEqual(await (await opening).list(), []);
  });

  test("one that is half-written at first is waited for", async () => {
    const text = credentialsText(owner);
    const credentialsFile = await fileOf("half-written", text.slice(0, text.indexOf("aws_secret")));
    const opening = rig.open("half-written", { config: { credentialsFile } });
    await delay(500);
    await writeFile(credentialsFile, text);

    assert.deepEqual(await (await opening).list(), []);
  });

  test("one that is emptied under an opened location does not disturb its calls", async () => {
    const location = await rig.open("emptied");
    const { credentialsFile = "" } = await rig.configOf("emptied");
    await truncate(credentialsFile, 0);

    await location.put("contents", Buffer.from("x"));

    assert.equal((await location.get("contents")).toString(), "x");
  });

  test("one that is rewritten again and again while locations are opened is never misread", async () => {
    const credentialsFile = await fileOf("rewritten", credentialsText(owner));
    const rewriting = new AbortController();
    const rewriter = (async () => {
      while (!rewriting.signal.aborted) {
        await writeFile(credentialsFile, credentialsText(owner));
        await delay(20);
      }
    })();

    const opened = await Promise.all(
      [1, 2, 3, 4].map((n) => rig.open(`rewritten-${n}`, { config: { credentialsFile } })),
    );
    rewriting.abort();
    await rewriter;

    for (const location of opened) assert.deepEqual(await location.list(), []);
  });

  test("one that was rewritten for another identity counts from the next opening on", async () => {
    const next = { accessKeyId: "AKIANEXT", secretAccessKey: "next-secret" };
    rig.accounts.add(next);
    const credentialsFile = await fileOf("next-identity", credentialsText(owner));
    await rig.open("identity-before", { config: { credentialsFile } });
    await writeFile(credentialsFile, credentialsText(next));

    const location = await rig.open("identity-after", { config: { credentialsFile } });
    await location.list();

    const [request] = rig.requestsOf("identity-after", "ListObjectsV2");
    assert.match(request?.headers.get("authorization") ?? "", /Credential=AKIANEXT\//);
  });

  test("a session token of the file is sent", async () => {
    const temporary = { accessKeyId: "ASIATEMPORARY", secretAccessKey: "temporary", sessionToken: "a-token" };
    rig.accounts.add(temporary);
    const location = await rig.open("session-token", { account: temporary });

    assert.deepEqual(await location.list(), []);
  });

  test("the profile key chooses among the file's profiles", async () => {
    const text = credentialsText({ ...owner, secretAccessKey: "wrong" }) + credentialsText(owner, "backups");
    const credentialsFile = await fileOf("two-profiles", text);
    const location = await rig.open("profile-key", { config: { credentialsFile, profile: "backups" } });

    assert.deepEqual(await location.list(), []);
  });
});

describe("credentials of the environment", { concurrency: true }, () => {
  const keys = { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey };

  test("without any the first call is denied and says where they were looked for", { timeout: 240_000 }, async () => {
    const location = await rig.open("no-credentials", { session: rig.start(), config: { credentialsFile: "" } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /credentials/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("static keys are used where the location names no file", async () => {
    const location = await rig.open("static-keys", { session: rig.start(keys), config: { credentialsFile: "" } });

    assert.deepEqual(await location.list(), []);
  });

  test("$AWS_SHARED_CREDENTIALS_FILE is used where the location names no file", async () => {
    const path = await fileOf("shared", credentialsText(owner));
    const session = rig.start({ AWS_SHARED_CREDENTIALS_FILE: path });
    const location = await rig.open("shared-file", { session, config: { credentialsFile: "" } });

    assert.deepEqual(await location.list(), []);
  });

  test("the location's own file wins over static keys", async () => {
    const session = rig.start({ ...keys, AWS_SECRET_ACCESS_KEY: "wrong" });
    const location = await rig.open("file-wins", { session });

    assert.deepEqual(await location.list(), []);
  });

  test("neither the secret nor the token is ever logged", async () => {
    const session = rig.start({ ...keys, AWS_SESSION_TOKEN: "a-secret-token" });
    const location = await rig.open("secret-log", { session, config: { credentialsFile: "" } });
    await failureOf(location.put("contents", Buffer.from("x")));
    await session.close();

    const log = session.lines.map((line) => JSON.stringify(line)).join("\n");

    assert.notEqual(log, "");
    assert.doesNotMatch(log, new RegExp(`${owner.secretAccessKey}|a-secret-token`));
  });
});

describe("a process without a home folder", () => {
  const asNobodyKnown = ["--user", "--map-user=1000660000"] as const;
  const isPossible = spawnSync("unshare", [...asNobodyKnown, "true"]).status === 0;
  const skip = isPossible ? false : "this machine gives no user namespaces (unshare --user)";

  test("neither HOME nor a passwd entry keeps a location from being opened", { skip }, async () => {
    const launcher = join(rig.folder, "without-home");
    const command = `unshare ${asNobodyKnown.join(" ")} '${pluginCommand}'`;
    await writeFile(launcher, `#!/bin/sh\nunset HOME\nexec ${command} "$@"\n`, { mode: 0o755 });

    const location = await rig.open("without-home", { session: rig.start({}, launcher) });

    assert.deepEqual(await location.list(), []);
  });
});
