import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { sampleBytes, untilSteady } from "@flotilla/sdk/testing";

import { discover } from "./discover.ts";
import { Manager } from "./manager.ts";
import type { ProcessSettings } from "./plugin-process.ts";
import { freshFolder, writeScript } from "./testing/raw-launcher.ts";

// The SDK's own plugin side, in a process of its own, under the host's strict eye.
const fixture = fileURLToPath(new URL("fixture-plugin.ts", import.meta.resolve("@flotilla/sdk/testing")));
const name = "velero.io/fixture";
const bucket = "b";
const limitBytes = 8 * 1024 * 1024;

async function start(context: TestContext, extra: Partial<ProcessSettings> = {}) {
  const folder = await freshFolder();
  await writeScript(folder, "fixture", `FLOTILLA_COMMAND="$0" exec "${process.execPath}" "${fixture}" "$@"`);
  const violations: string[] = [];
  const settings = { env: process.env, onViolation: (violation: string) => violations.push(violation), ...extra };
  const manager = new Manager(await discover(folder, settings), settings);
  context.after(() => manager.close());
  return { manager, violations, journal: join(folder, "journal") };
}

async function* chunks(bytes: Uint8Array, size = 100_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** How many bytes the fixture's journal tells of. */
function lastProduced(journal: string): number {
  return Number([...readFileSync(journal, "utf8").matchAll(/produced (\d+)/g)].at(-1)?.[1] ?? 0);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

for (const [fault, kind, message] of [
  ["put-fails-at-once", "unavailable", /put failed at once/],
  ["put-fails-midway", "unavailable", /put failed midway/],
] as const) {
  test(`the reason of a put that fails arrives (${fault})`, async (context) => {
    const { manager } = await start(context);
    const store = manager.getObjectStore(name);
    await store.init({ bucket, fault });

    await assert.rejects(store.putObject({ bucket, key: "k" }, chunks(Buffer.alloc(3_000_000))), { kind, message });
  });
}

test("a corrupt object's get ends with the error, whatever arrived before", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "get-ends-corrupt" });
  await store.putObject({ bucket, key: "k" }, chunks(Buffer.alloc(1_000_000)));

  await assert.rejects(read(store.getObject({ bucket, key: "k" })), { kind: "corrupt", message: /checksum differs/ });
});

test("a source that throws aborts the put in the plugin", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket });
  async function* broken() {
    yield Buffer.alloc(500_000);
    throw new Error("disk gone");
  }

  await assert.rejects(store.putObject({ bucket, key: "k" }, broken()), /disk gone/);

  assert.equal(await store.objectExists({ bucket, key: "k" }), false);
});

test("a panic in the plugin is an error of that call only", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "panics" });

  await assert.rejects(store.objectExists({ bucket, key: "k" }), { kind: "internal", message: /plugin panicked/ });

  assert.deepEqual(await store.listObjects({ bucket, prefix: "" }), []);
});

test("an uncaught error ends the plugin, and its reason is in the crash report", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "rejects-unheard" });

  await assert.rejects(store.objectExists({ bucket, key: "k" }), {
    kind: "unavailable",
    message: /exited with code \d+ .*nobody waits for this/,
  });
});

test("a killed plugin is started again with every location opened", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  const volumes = manager.getVolumeSnapshotter(name);
  await store.init({ bucket });
  await volumes.init({ region: "r" });
  const [pid = 0] = manager.pids;
  process.kill(pid, "SIGKILL");
  // The call that meets the crash may fail; it is the next one that has to work.
  await store.objectExists({ bucket, key: "k" }).catch(() => false);

  assert.equal(await store.objectExists({ bucket, key: "k" }), false);
  assert.deepEqual(await volumes.getVolumeInfo({ volumeId: "r-vol-1", volumeAz: "" }), {
    volumeType: "fast",
    iops: 100n,
  });
  assert.notEqual(manager.pids[0], pid);
});

test("an endless get holds no more than a bounded amount while its reader rests", async (context) => {
  const { manager, journal } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "get-is-endless", journal });
  const reader = store.getObject({ bucket, key: "k" })[Symbol.asyncIterator]();
  await reader.next();

  const producedBytes = await untilSteady(() => lastProduced(journal), limitBytes);

  // What was not read is in the two processes and in the socket between them.
  assert.ok(producedBytes <= limitBytes, `${producedBytes} bytes`);
  await reader.return?.();
});

test("120 000 keys arrive in one answer", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "list-is-huge" });

  assert.equal((await store.listObjects({ bucket, prefix: "" })).length, 120_000);
});

test("a talkative plugin breaks no rule of the wire, because its side keeps it in check", async (context) => {
  const lines: string[] = [];
  const { manager, violations } = await start(context, {
    onLog: (line) => lines.push(`${line.level} ${line.message}`),
  });
  const store = manager.getObjectStore(name);
  await store.init({ bucket, fault: "talks" });

  await store.objectExists({ bucket, key: "k" });
  await manager.close();

  assert.deepEqual(violations, []);
  assert.ok(lines.includes("info said by the logger"));
});

test("objects, volumes and flotilla.v1 work over the wire, and the plugin leaves in order", async (context) => {
  const { manager, violations } = await start(context);
  const [store, volumes] = [manager.getObjectStore("fixture"), manager.getVolumeSnapshotter("fixture")];
  await store.init({ bucket, prefix: "" });
  await volumes.init({ region: "r" });
  const body = sampleBytes(3_000_001);

  await store.putObject({ bucket, key: "a/k ü+%" }, chunks(body));
  const snapshotId = await volumes.createSnapshot({ volumeId: "r-vol-1", volumeAz: "", tags: { a: "b" } });
  const pv = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    spec: { csi: { driver: "memory.flotilla.io", volumeHandle: "v" } },
  };

  assert.ok((await read(store.getObject({ bucket, key: "a/k ü+%" }))).equals(body));
  assert.deepEqual(await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }), ["a/"]);
  assert.equal((await store.describeObject({ bucket, key: "a/k ü+%" })).sizeBytes, 3_000_001n);
  assert.equal((await volumes.describeSnapshot(snapshotId)).state, "completed");
  assert.equal(await volumes.getVolumeId(pv), "v");
  assert.deepEqual((await volumes.setVolumeId(pv, "w"))["spec"], {
    csi: { driver: "memory.flotilla.io", volumeHandle: "w" },
  });
  const findings: string[] = [];
  for await (const { severity } of store.check()) findings.push(severity);
  assert.ok(findings.includes("ok"));
  assert.equal(manager.pids.length, 1);
  await manager.close();
  assert.deepEqual(violations, []);
});
