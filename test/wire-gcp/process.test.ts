import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { discoverCommands } from "@flotilla/host";

import { bytesOf, failureOf, readUntilError } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { until } from "../wire/until.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";
import { pluginCommand } from "./harness.ts";

const rig = await startGcsRig();
after(() => rig.close());

/** A session of every call of an object store, with what fails as well as what works. */
async function useEverything(location: Location): Promise<void> {
  await location.put("contents", bytesOf(2 * smallPartBytes, "everything"));
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

describe("the process as the server sees it", { concurrency: true, timeout: 240_000 }, () => {
  test("it lists both kinds under the official name and the path by which it was started", async () => {
    const violations: string[] = [];
    const onViolation = (violation: string): void => void violations.push(violation);

    const registry = await discoverCommands([pluginCommand], { env: process.env, onViolation });

    assert.deepEqual(registry.list(), [
      { command: pluginCommand, kind: "ObjectStore", name: "velero.io/gcp" },
      { command: pluginCommand, kind: "VolumeSnapshotter", name: "velero.io/gcp" },
    ]);
    assert.deepEqual(violations, []);
  });

  test("a whole session writes nothing to stdout but the handshake and leaves with code 0", async () => {
    const session = rig.start();
    await useEverything(await rig.open("quiet-stdout", { config: smallParts, session }));

    await session.close();

    assert.deepEqual(session.violations, []);
  });

  test("each line on stderr is one flat JSON object of strings, without a token or a signature", async () => {
    const log = join(rig.folder, "stderr.log");
    const launcher = join(rig.folder, "keep-stderr");
    await writeFile(launcher, `#!/bin/sh\nexec '${pluginCommand}' "$@" 2>>'${log}'\n`, { mode: 0o755 });
    const session = rig.start({ GOOGLE_SDK_NODE_LOGGING: "*" }, launcher);
    await useEverything(await rig.open("flat-lines", { config: smallParts, session }));

    await session.close();

    const text = await readFile(log, "utf8");
    const values = text
      .trimEnd()
      .split("\n")
      .flatMap((line): unknown[] => Object.values(JSON.parse(line) as object));
    assert.ok(values.length > 0);
    assert.ok(values.every((value) => typeof value === "string"));
    assert.doesNotMatch(text, /ya29\.|eyJ|PRIVATE KEY|X-Goog-Signature/);
  });

  test("a session in which all goes well writes no warning and no error", async () => {
    const session = rig.start();
    const location = await rig.open("clean-session", { config: smallParts, session });
    await location.put("contents", bytesOf(2 * smallPartBytes, "clean"));
    await location.get("contents");
    await location.exists("absent");
    await location.store.deleteObject(location.at("contents"));

    await session.close();

    assert.deepEqual(
      session.lines.filter((line) => line.level === "warn" || line.level === "error"),
      [],
    );
  });
});

describe("sudden ends", { concurrency: true, timeout: 240_000 }, () => {
  test("a plugin that is killed in the middle of an upload leaves nothing visible and is started again", async () => {
    const session = rig.start();
    const location = await rig.open("killed", { config: smallParts, session });
    await location.put("contents", Buffer.from("former"));
    const putting = failureOf(location.put("contents", bytesOf(20 * smallPartBytes, "killed")));
    await rig.untilChunkArrived("killed");
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    const error = await putting;

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /killed by SIGKILL/);
    assert.equal((await location.get("contents")).toString(), "former");
    assert.notEqual(session.manager.pids[0], pid);
  });

  test("the session of a killed process does not stand in the way of the next upload", async () => {
    const session = rig.start();
    const location = await rig.open("killed-again", { config: smallParts, session });
    const putting = failureOf(location.put("contents", bytesOf(20 * smallPartBytes, "killed")));
    await rig.untilChunkArrived("killed-again");
    process.kill(session.manager.pids[0] ?? 0, "SIGKILL");
    await putting;
    const body = bytesOf(2 * smallPartBytes, "next");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
  });

  test("after a kill each location of the process is opened again", async () => {
    const session = rig.start();
    const locations = [await rig.open("again-0", { session }), await rig.open("again-1", { session })];
    await Promise.all(locations.map((location) => location.put("contents", Buffer.from(location.bucket))));
    const [pid = 0] = session.manager.pids;

    process.kill(pid, "SIGKILL");
    await until("the process was gone", () => session.manager.pids[0] !== pid);

    const received = await Promise.all(locations.map((location) => location.get("contents")));
    assert.deepEqual(received.map(String), ["again-0", "again-1"]);
  });
});
