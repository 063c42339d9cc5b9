import assert from "node:assert/strict";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { fixtureName, fixturePath } from "../testing/fixture-path.ts";
import { FixtureProcess } from "../testing/fixture-process.ts";
import { velero } from "../wire/index.ts";

const { listPlugins } = velero.PluginLister.method;

for (const [title, cookie] of [
  ["without the magic cookie", undefined],
  ["with another cookie", "goodbye"],
] as const) {
  test(`${title} the program explains itself and ends with 1`, async () => {
    await using fixture = new FixtureProcess({ env: { VELERO_PLUGIN: cookie } });

    const end = await fixture.ended;

    assert.deepEqual(end, { code: 1, signal: null });
    assert.equal(fixture.stdout, "");
    for (const expected of [
      "flotilla-plugin-fixture 0.0.0-fixture",
      fixtureName,
      "velero plugin add",
      "init container",
    ])
      assert.ok(fixture.stderr.includes(expected), `${expected} in ${fixture.stderr}`);
  });
}

test("--version prints name and version without a cookie", async () => {
  await using fixture = new FixtureProcess({ args: ["--version"], env: { VELERO_PLUGIN: undefined } });

  const end = await fixture.ended;

  assert.deepEqual(end, { code: 0, signal: null });
  assert.equal(fixture.stdout, "flotilla-plugin-fixture 0.0.0-fixture\n");
});

test("a client certificate is refused before the handshake instead of being answered in plaintext", async () => {
  await using fixture = new FixtureProcess({ env: { PLUGIN_CLIENT_CERT: "-----BEGIN CERTIFICATE-----" } });

  const end = await fixture.ended;

  assert.deepEqual(end, { code: 1, signal: null });
  assert.equal(fixture.stdout, "");
  assert.match(String(fixture.logLines[0]?.["@message"]), /mutual TLS/);
  assert.equal(fixture.logLines[0]?.["@level"], "error");
});

for (const alias of ["Flotilla.io", "flotilla.io/", "-a.io", "a..b", "a".repeat(254), "a b"]) {
  test(`the alias ${alias.slice(0, 20)} is refused before the handshake`, async () => {
    await using fixture = new FixtureProcess({ env: { FLOTILLA_ALIAS: alias } });

    const end = await fixture.ended;

    assert.deepEqual(end, { code: 1, signal: null });
    assert.equal(fixture.stdout, "");
    assert.match(String(fixture.logLines[0]?.["@message"]), /FLOTILLA_ALIAS/);
  });
}

test("an alias replaces the official domain in the list and in requests", async () => {
  await using fixture = new FixtureProcess({ env: { FLOTILLA_ALIAS: "flotilla.io" } });

  const { plugins } = await fixture.call(listPlugins, {});

  assert.deepEqual(
    plugins.map(({ kind, name }) => `${kind} ${name}`),
    ["ObjectStore flotilla.io/fixture", "VolumeSnapshotter flotilla.io/fixture"],
  );
  await fixture.initObjectStore({ bucket: "b" }, "flotilla.io/fixture");
  await assert.rejects(fixture.initObjectStore({ bucket: "b" }), /velero.io\/fixture is not registered/);
});

test("the handshake is one line of five fields and an empty certificate, and the socket accepts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "f-"));
  await using fixture = new FixtureProcess({ env: { TMPDIR: folder } });

  await fixture.handshake();

  const path = /^1\|2\|unix\|(\/[^|]+)\|grpc\|\n$/.exec(fixture.stdout)?.[1] ?? "";
  assert.ok(path.startsWith(`${folder}/`), fixture.stdout);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await fixture.call(listPlugins, {});
});

test("the folder for sockets that the host names goes before TMPDIR", async () => {
  const folder = mkdtempSync(join(tmpdir(), "f-"));
  await using fixture = new FixtureProcess({ env: { TMPDIR: "/tmp", PLUGIN_UNIX_SOCKET_DIR: folder } });

  const [, , , address] = await fixture.handshake();

  assert.ok(address?.startsWith(`${folder}/`));
});

test("a group that the host names may connect", async () => {
  await using fixture = new FixtureProcess({ env: { PLUGIN_UNIX_SOCKET_GROUP: String(process.getgid?.()) } });

  const [, , , address] = await fixture.handshake();

  assert.equal(statSync(String(address)).mode & 0o777, 0o660);
});

test("a group that does not exist is refused before the handshake", async () => {
  await using fixture = new FixtureProcess({ env: { PLUGIN_UNIX_SOCKET_GROUP: "no-such-group" } });

  const end = await fixture.ended;

  assert.deepEqual(end, { code: 1, signal: null });
  assert.match(String(fixture.logLines[0]?.["@message"]), /no-such-group/);
});

for (const [title, folder] of [
  ["that cannot be written", "/proc"],
  ["that is absent", "/nowhere/at/all"],
  ["whose path is too long for a socket", `/tmp/${"long".repeat(30)}`],
] as const) {
  test(`a temporary folder ${title} leads to a loopback port of the host's range`, async () => {
    const env = { TMPDIR: folder, PLUGIN_MIN_PORT: "10000", PLUGIN_MAX_PORT: "25000" };
    await using fixture = new FixtureProcess({ env });

    const [core, app, network, address, protocol, certificate] = await fixture.handshake();

    assert.deepEqual([core, app, network, protocol, certificate], ["1", "2", "tcp", "grpc", ""]);
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(String(address))?.[1]);
    assert.ok(port >= 10_000 && port <= 25_000, String(address));
    await fixture.call(listPlugins, {});
  });
}

test("a host that wants multiplexing gets a line without the field that promises it", async () => {
  await using fixture = new FixtureProcess({ env: { PLUGIN_MULTIPLEX_GRPC: "true" } });

  const fields = await fixture.handshake();

  assert.equal(fields.length, 6);
});

test("unknown flags, flags without value and stray words are ignored", async () => {
  const args = [
    "--features=EnableCSI",
    "--uploader-type",
    "kopia",
    "stray",
    "--client-qps",
    "--log-level",
    "debug",
    "--",
  ];
  await using fixture = new FixtureProcess({ args });

  const { plugins } = await fixture.call(listPlugins, {});

  assert.equal(plugins.length, 2);
});

test("the command in the list is the path by which the script was started", async () => {
  await using fixture = new FixtureProcess();

  const { plugins } = await fixture.call(listPlugins, {});

  assert.deepEqual(
    plugins.map(({ command }) => command),
    [fixturePath, fixturePath],
  );
});

test("a termination signal removes the socket and shows in the exit status", async () => {
  await using fixture = new FixtureProcess();
  const [, , , address] = await fixture.handshake();

  fixture.child.kill("SIGTERM");

  assert.deepEqual(await fixture.ended, { code: null, signal: "SIGTERM" });
  assert.equal(existsSync(String(address)), false);
});

test("an interrupt from the terminal is left to the host", async () => {
  await using fixture = new FixtureProcess();
  await fixture.call(listPlugins, {});

  fixture.child.kill("SIGINT");

  assert.equal((await fixture.call(listPlugins, {})).plugins.length, 2);
});
