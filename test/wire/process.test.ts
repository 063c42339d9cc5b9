import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { discoverCommands } from "@flotilla/host";

import { bytesOf, failureOf, readUntilError } from "./bytes.ts";
import { pluginCommand } from "./harness.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import { until } from "./until.ts";
import type { Location } from "./location.ts";

const rig = await startObjectRig();
after(() => rig.close());

/** A session of every call of an object store, with what fails as well as what works. */
async function useEverything(location: Location): Promise<void> {
  await location.put("contents", bytesOf(3 * smallPartBytes, "everything"));
  await location.get("contents");
  await location.exists("absent");
  await failureOf(location.get("absent"));
  await location.list();
  await location.store.listCommonPrefixes({ bucket: location.bucket, prefix: "", delimiter: "/" });
  await location.store.createSignedUrl(location.at("contents"), 600);
  await location.describe("contents");
  await location.flipBit("contents", 5);
  await readUntilError(location.store.getObject(location.at("contents")));
  await location.store.deleteObject(location.at("contents"));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // No process of that id.
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  await until(`process ${pid} was gone`, () => !isAlive(pid));
}

describe("the process as the server sees it", { concurrency: true, timeout: 240_000 }, () => {
  test("it lists both kinds under the official name and the path by which it was started", async () => {
    const violations: string[] = [];
    const onViolation = (violation: string): void => void violations.push(violation);

    const registry = await discoverCommands([pluginCommand], { env: process.env, onViolation });

    assert.deepEqual(registry.list(), [
      { command: pluginCommand, kind: "ObjectStore", name: "velero.io/aws" },
      { command: pluginCommand, kind: "VolumeSnapshotter", name: "velero.io/aws" },
    ]);
    assert.deepEqual(violations, []);
  });

  test("under an alias it registers nothing of velero.io", async () => {
    const env = { ...process.env, FLOTILLA_ALIAS: "flotilla.io" };

    const registry = await discoverCommands([pluginCommand], { env });

    assert.deepEqual(
      registry.list().map((plugin) => plugin.name),
      ["flotilla.io/aws", "flotilla.io/aws"],
    );
  });

  test("run by hand it says what it is, prints nothing on stdout and exits with code 1", async () => {
    const child = spawn(pluginCommand, [], { env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] });
    const output = Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding("utf8").toArray()));

    const [code] = (await once(child, "close")) as [number];

    const [stdout, stderr] = (await output).map((chunks) => chunks.join(""));
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr ?? "", /flotilla-plugin-aws/);
    assert.match(stderr ?? "", /velero\.io\/aws/);
    assert.match(stderr ?? "", /velero plugin add|velero install/);
  });

  test("--version answers name and version", async () => {
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(pluginCommand, ["--version"], (error, text) => (error === null ? resolve(text) : reject(error)));
    });

    assert.match(stdout, /^flotilla-plugin-aws \d+\.\d+\.\d+/);
  });

  test("a whole session writes nothing to stdout but the handshake and leaves with code 0", async () => {
    const session = rig.start();
    await useEverything(await rig.open("quiet-stdout", { config: smallParts, session }));

    await session.close();

    assert.deepEqual(session.violations, []);
  });

  test("each line on stderr is one flat JSON object of strings, at debug level too", async () => {
    const log = join(rig.folder, "stderr.log");
    const launcher = join(rig.folder, "keep-stderr");
    await writeFile(launcher, `#!/bin/sh\nexec '${pluginCommand}' "$@" 2>>'${log}'\n`, { mode: 0o755 });
    const session = rig.start({}, launcher);
    await useEverything(await rig.open("flat-lines", { config: smallParts, session }));

    await session.close();

    const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
    const values = lines.flatMap((line): unknown[] => Object.values(JSON.parse(line) as object));
    assert.ok(lines.length > 0);
    assert.ok(values.every((value) => typeof value === "string"));
  });

  test("a session in which all goes well writes no warning and no error", async () => {
    const session = rig.start();
    const location = await rig.open("clean-session", { config: smallParts, session });
    await location.put("contents", bytesOf(3 * smallPartBytes, "clean"));
    await location.get("contents");
    await location.exists("absent");
    await location.store.deleteObject(location.at("contents"));

    await session.close();

    assert.deepEqual(
      session.lines.filter((line) => line.level === "warn" || line.level === "error"),
      [],
    );
  });

  test("two processes of the executable run beside each other", async () => {
    const sessions = [rig.start(), rig.start()];
    const locations = await Promise.all(sessions.map((session, index) => rig.open(`beside-${index}`, { session })));

    await Promise.all(locations.map((location) => location.put("contents", Buffer.from(location.bucket))));

    const received = await Promise.all(locations.map((location) => location.get("contents")));
    assert.deepEqual(received.map(String), ["beside-0", "beside-1"]);
  });
});

describe("sudden ends", { concurrency: true, timeout: 240_000 }, () => {
  test("a plugin that is killed in the middle of an upload leaves nothing visible and is started again", async () => {
    const session = rig.start();
    const location = await rig.open("killed", { config: smallParts, session });
    await location.put("contents", Buffer.from("former"));
    const putting = failureOf(location.put("contents", bytesOf(40 * smallPartBytes, "killed")));
    await rig.untilPartArrived("killed");
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    const error = await putting;

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /killed by SIGKILL/);
    assert.equal((await location.get("contents")).toString(), "former");
    assert.notEqual(session.manager.pids[0], pid);
  });

  test("after a kill each location of the process is opened again", async () => {
    const session = rig.start();
    const locations = [await rig.open("again-0", { session }), await rig.open("again-1", { session })];
    await Promise.all(locations.map((location) => location.put("contents", Buffer.from(location.bucket))));
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    await untilGone(pid);

    const received = await Promise.all(locations.map((location) => location.get("contents")));
    assert.deepEqual(received.map(String), ["again-0", "again-1"]);
  });

  test("a plugin whose host dies in the middle of a put aborts it and leaves", async () => {
    await rig.createBucket("host-dies");
    const config = await rig.configOf("host-dies", { config: smallParts });
    const script = join(import.meta.dirname, "host-that-dies.ts");
    const host = spawn(process.execPath, [script, pluginCommand, JSON.stringify(config)], {
      env: { PATH: process.env["PATH"], TMPDIR: rig.folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = (await once(host.stdout.setEncoding("utf8"), "data")) as [string];
    await rig.untilPartArrived("host-dies");

    host.kill("SIGKILL");
    await untilGone(Number(pid));

    assert.equal(await rig.countUploads("host-dies"), 0);
    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/aws");
    await store.init(config);
    assert.deepEqual(await store.listObjects({ bucket: "host-dies", prefix: "" }), []);
  });
});
