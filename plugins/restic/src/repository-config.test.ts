import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { boundCache } from "./cache-bound.ts";
import { objectStoreConfig } from "./config.ts";
import { readCredentialsFile } from "./credentials-file.ts";
import { openAccess } from "./repository-access.ts";
import { parseRepository } from "./repository-location.ts";
import { parseVersion } from "./restic-version.ts";

let folder = "";
const { signal } = new AbortController();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "restic-config-"));
});

after(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await utimes(path, 0, 0);
  return path;
}

test("every backend of restic is told by its scheme, and a folder must be absolute", () => {
  assert.equal(parseRepository("/backup/restic").backend, "local");
  assert.equal(parseRepository("local:/backup").folder, "/backup");
  for (const text of [
    "sftp:u@h:/r",
    "rest:https://h/",
    "s3:https://h/b",
    "azure:c:/",
    "gs:b:/",
    "swift:c:/",
    "b2:b",
    "rclone:r:p",
  ])
    assert.equal(parseRepository(text).backend, text.split(":")[0]);
  for (const text of ["backup", "./backup", "ftp://h/x", "s3:", "local:backup"])
    assert.throws(() => parseRepository(text), Error, text);
});

test("the password in a REST server's address is not shown", () => {
  assert.equal(parseRepository("rest:https://user:secret@host:8000/r").shown, "rest:https://host:8000/r");
  for (const user of ["user:se/cret", "user:se@cret", "user:s%cret", "secret"])
    assert.equal(parseRepository(`rest:https://${user}@host/r`).shown, "rest:https://host/r");
  for (const text of ["rest:https://[::1]:8000/a@b/c", "s3:https://host/b@c", "s3:host/b@c", "rclone:r:a@b"])
    assert.equal(parseRepository(text).shown, text);
});

test("versions are told apart, and one that is too old, or no restic, is refused", () => {
  const oldest = parseVersion("restic 0.14.0 compiled with go1.19\n", "r");
  assert.deepEqual([oldest.text, oldest.waitsForLocks, oldest.tellsSizes], ["0.14.0", false, false]);
  assert.equal(parseVersion("restic 0.16.5", "r").waitsForLocks, true);
  assert.equal(parseVersion("restic 0.16.5", "r").tellsSizes, false);
  assert.equal(parseVersion("restic 1.0.0", "r").tellsSizes, true);
  assert.throws(() => parseVersion("restic 0.13.1", "r"), /needs 0\.14\.0 or later/);
  assert.throws(() => parseVersion("velero 1.18", "r"), /does not answer as restic/);
});

test("of a credentials file the backend gets its own lines, and nothing else", async () => {
  const path = await write("lines", "AWS_ACCESS_KEY_ID=a\nB2_ACCOUNT_KEY=b\nPATH=/evil\nRESTIC_PASSWORD='p w'\n");

  const { variables, password } = await readCredentialsFile(path, "s3", signal);
  assert.deepEqual(variables, { AWS_ACCESS_KEY_ID: "a" });
  assert.equal(password, "p w");
  assert.deepEqual((await readCredentialsFile(path, "local", signal)).variables, {});
});

test("a # within a secret is part of it, as is a quote; one after a space begins a comment", async () => {
  const path = await write(
    "secrets",
    [
      "# RESTIC_PASSWORD=former",
      "export RESTIC_PASSWORD=a#b'c  # the repository's",
      "AWS_ACCESS_KEY_ID='x #y' # z",
      'AWS_SECRET_ACCESS_KEY="a\nb"\r',
      "AWS_SESSION_TOKEN='",
    ].join("\n"),
  );

  const { variables, password } = await readCredentialsFile(path, "s3", signal);
  assert.equal(password, "a#b'c");
  assert.deepEqual(variables, { AWS_ACCESS_KEY_ID: "x #y", AWS_SECRET_ACCESS_KEY: "a\nb", AWS_SESSION_TOKEN: "'" });
});

test("AWS's and Google's own files are named to restic", async () => {
  const ini = await write("ini", "[default]\naws_access_key_id = a\n");
  const json = await write("json", '{"type":"service_account"}');

  assert.deepEqual((await readCredentialsFile(ini, "s3", signal)).variables, { AWS_SHARED_CREDENTIALS_FILE: ini });
  assert.deepEqual((await readCredentialsFile(json, "gs", signal)).variables, { GOOGLE_APPLICATION_CREDENTIALS: json });
});

test("an identity of the file is not mixed with the environment's", async () => {
  const credentialsFile = await write("own", "AWS_ACCESS_KEY_ID=own\nAWS_SECRET_ACCESS_KEY=s\nRESTIC_PASSWORD=p\n");
  const config = parseConfig(objectStoreConfig, { bucket: "b", repository: "s3:https://h/b", credentialsFile });
  const env = {
    AWS_SESSION_TOKEN: "other",
    AWS_ACCESS_KEY_ID: "other",
    AWS_REGION: "eu-1",
    TMPDIR: folder,
    SECRET: "x",
  };

  const access = await openAccess(config, { env: { ...env, VELERO_SCRATCH_DIR: folder }, signal });
  await access.password.close();

  const { TMPDIR: _, RESTIC_PROGRESS_FPS: __, ...rest } = access.environment;
  assert.deepEqual(rest, { AWS_ACCESS_KEY_ID: "own", AWS_SECRET_ACCESS_KEY: "s", AWS_DEFAULT_REGION: "eu-1" });
});

test("a password that is given twice, or not at all, is refused", async () => {
  const credentialsFile = await write("twice", "RESTIC_PASSWORD=p\n");
  const context = { env: { VELERO_SCRATCH_DIR: folder }, signal };
  const base = { bucket: "b", repository: "/r" };
  const twice = parseConfig(objectStoreConfig, { ...base, credentialsFile, passwordCommand: "cat /p" });

  await assert.rejects(openAccess(twice, context), /given twice/);
  await assert.rejects(openAccess(parseConfig(objectStoreConfig, base), context), /has no password/);
  assert.throws(
    () => parseConfig(objectStoreConfig, { ...base, passwordFile: "/a", passwordCommand: "b" }),
    /exclude each other/,
  );
});

test("a cache loses its oldest files beyond its limit, never what tells that it is one, and whose", async () => {
  const cache = await mkdtemp(join(folder, "cache-"));
  for (const [index, name] of ["old", "older", "new", "CACHEDIR.TAG", "flotilla-repository"].entries()) {
    await writeFile(join(cache, name), Buffer.alloc(1000));
    const age = [200, 300, 10, 999, 999][index] ?? 0;
    await utimes(join(cache, name), Date.now() / 1000 - age, Date.now() / 1000 - age);
  }

  await boundCache(cache, 1000);
  assert.deepEqual((await readdir(cache)).sort(), ["CACHEDIR.TAG", "flotilla-repository", "new"]);
});
