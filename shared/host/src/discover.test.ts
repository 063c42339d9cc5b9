import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { discover } from "./discover.ts";
import { freshFolder, writeRawPlugin, writeScript } from "./testing/raw-launcher.ts";

const settings = { env: process.env, startTimeoutMs: 60_000 };

test("an executable that prints anything else first fails discovery", async () => {
  const folder = await freshFolder();
  await writeScript(folder, "chatty", "echo loading; sleep 5");

  await assert.rejects(
    discover(folder, settings),
    /start plugin .*chatty: Unrecognized remote plugin message: "loading"/,
  );
});

test("an executable that exits before its handshake fails discovery with its exit code and last words", async () => {
  const folder = await freshFolder();
  await writeScript(folder, "short", "echo no libatomic >&2; exit 127");

  await assert.rejects(
    discover(folder, settings),
    /exited before we could connect: .*exited with code 127 .*no libatomic/,
  );
});

test("an executable that says nothing is given up after the start timeout, and is killed", async () => {
  const folder = await freshFolder();
  await writeScript(folder, "mute", `echo $$ > "${folder}/pid.txt"; exec sleep 60`);

  await assert.rejects(discover(folder, { ...settings, startTimeoutMs: 300 }), { kind: "timeout", message: /300 ms/ });
});

test("an executable that announces an address where nobody listens fails discovery", async () => {
  const folder = await freshFolder();
  await writeScript(folder, "liar", `echo "1|2|unix|/nowhere/socket|grpc|"; exec sleep 60`);

  await assert.rejects(discover(folder, { ...settings, startTimeoutMs: 3000 }), /does not answer there/);
});

test("a link to a folder is started as a plugin, and fails discovery", async () => {
  const folder = await freshFolder();
  await symlink(tmpdir(), join(folder, "lib"));

  await assert.rejects(discover(folder, settings), /start plugin .*lib: .*is it a file, and executable\?/);
});

test("a file with an execute bit that is no program fails discovery", async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, "data"), Buffer.from([0, 1, 2, 3]), { mode: 0o755 });

  await assert.rejects(discover(folder, settings), /exec format error: it is neither a program nor a script/);
});

test("a program of another processor fails discovery with both processors named", async () => {
  const folder = await freshFolder();
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46]);
  header.writeUInt16LE(process.arch === "arm64" ? 0x3e : 0xb7, 18);
  await writeFile(join(folder, "foreign"), header, { mode: 0o755 });

  await assert.rejects(discover(folder, settings), /it is built for (arm64|x64), and this machine is/);
});

test("two executables with one kind and name fail discovery", async () => {
  const folder = await freshFolder();
  await writeRawPlugin(folder, "one");
  await writeRawPlugin(folder, "two");

  await assert.rejects(discover(folder, settings), { kind: "conflict" });
});

test("a name without a domain fails discovery", async () => {
  const folder = await freshFolder();
  await writeRawPlugin(folder, "p", { plugins: [{ kind: "ObjectStore", name: "aws" }] });

  await assert.rejects(discover(folder, settings), /exactly one slash/);
});

test("a listed command other than the started one is a violation", async () => {
  const folder = await freshFolder();
  await writeRawPlugin(folder, "p", { listedCommand: "/usr/bin/node" });
  const violations: string[] = [];

  await discover(folder, { ...settings, onViolation: (violation) => violations.push(violation) });

  assert.match(violations.join(), /listed with the command "\/usr\/bin\/node"/);
});

test("what executables list is registered under the started command", async () => {
  const folder = await freshFolder();
  const command = await writeRawPlugin(folder, "deep/er/p");

  const registry = await discover(folder, settings);

  assert.deepEqual(registry.list(), [{ command, kind: "ObjectStore", name: "example.com/raw" }]);
});
