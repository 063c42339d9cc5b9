import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { discover } from "./discover.ts";
import { Manager } from "./manager.ts";
import type { ProcessSettings } from "./plugin-process.ts";
import type { RawBehaviour } from "./testing/raw-launcher.ts";
import { freshFolder, writeRawPlugin, writeScript } from "./testing/raw-launcher.ts";

const bucket = "b";

async function start(context: TestContext, behaviour: RawBehaviour = {}, extra: Partial<ProcessSettings> = {}) {
  const folder = await freshFolder();
  const initFile = join(folder, "inits.txt");
  await writeRawPlugin(folder, "plugin", { initFile, ...behaviour });
  const settings = { env: process.env, startTimeoutMs: 60_000, ...extra };
  const manager = new Manager(await discover(folder, settings), settings);
  context.after(() => manager.close());
  return { manager, initFile, folder };
}

async function* chunks(...parts: readonly Uint8Array[]) {
  yield* parts;
}

test("a call before init is refused without starting a process", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");

  await assert.rejects(store.objectExists({ bucket, key: "k" }), /before its init/);
  assert.deepEqual(manager.pids, []);
});

test("a second init of one client is refused", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  await assert.rejects(store.init({ bucket }), /already initialized/);
});

test("a process that dies in the middle of a call fails that call with a crash report", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  await assert.rejects(store.objectExists({ bucket, key: "crash" }), {
    kind: "unavailable",
    message:
      /exited with code 3 after .* s, peak memory \d+ MiB; its last lines on stderr: about to fall over; the call was not repeated/,
  });
});

test("a process whose connection is gone long before its end is known still fails the call with a crash report", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  await assert.rejects(store.objectExists({ bucket, key: "fade" }), /exited with code 3/);
});

test("a process killed in the middle of a put fails the put and names the signal", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  await assert.rejects(store.putObject({ bucket, key: "crash" }, chunks(Buffer.alloc(1_000_000))), /killed by SIGKILL/);
});

test("after a crash the next call starts the process again and opens every location again", async (context) => {
  const { manager, initFile } = await start(context);
  const [first, second] = [manager.getObjectStore("example.com/raw"), manager.getObjectStore("example.com/raw")];
  await first.init({ bucket: "one" });
  await second.init({ bucket: "two" });
  const [pid] = manager.pids;
  process.kill(pid ?? 0, "SIGKILL");

  const answers = await Promise.all(
    [first, second].map((store) => retried(() => store.objectExists({ bucket, key: "k" }))),
  );

  assert.deepEqual(answers, [false, false]);
  assert.notEqual(manager.pids[0], pid);
  const inits = (await readFile(initFile, "utf8")).trim().split("\n");
  assert.deepEqual(
    inits.map((line) => (JSON.parse(line) as { bucket: string }).bucket),
    ["one", "two", "one", "two"],
  );
});

test("a plugin that cannot be started again is given up after ten failed resets", async (context) => {
  const { manager, folder } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });
  await writeScript(folder, "plugin", "exit 9");
  await assert.rejects(store.objectExists({ bucket, key: "crash" }));

  const messages: string[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    messages.push(await store.objectExists({ bucket, key: "k" }).then(String, (error: Error) => error.message));
  }

  assert.match(messages[10] ?? "", /exited before we could connect/);
  assert.match(messages[11] ?? "", /exceeded maximum number of reset failures/);
});

test("an absent object's error carries its kind and the plugin's stack", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  const reading = collect(store.getObject({ bucket, key: "absent" }));

  await assert.rejects(reading, (error: Error & { kind?: string; cause?: { frames?: unknown } }) => {
    assert.equal(error.kind, "not-found");
    assert.deepEqual(error.cause?.frames, [{ file: "raw-plugin.ts", line: 7, function: "getObject" }]);
    return true;
  });
});

test("a source that throws cancels the put, and nothing is stored", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });
  async function* broken() {
    yield Buffer.alloc(100_000);
    throw new Error("disk gone");
  }

  await assert.rejects(store.putObject({ bucket, key: "k" }, broken()), /disk gone/);

  assert.equal(await store.objectExists({ bucket, key: "k" }), false);
});

test("a call is cancelled by its signal", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  const call = store.objectExists({ bucket, key: "hang" }, { signal: AbortSignal.timeout(100) });

  await assert.rejects(call, { kind: "timeout" });
});

test("flotilla.v1 of a plugin that lacks it is unsupported", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  await assert.rejects(store.describeObject({ bucket, key: "k" }), {
    kind: "unsupported",
    message: /cannot describe objects/,
  });
  await assert.rejects(collect(store.check()), { kind: "unsupported", message: /cannot check a location/ });
});

test("what is put comes back, whatever the sizes of the chunks", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });
  const parts = [0, 1, 16_383, 16_384, 16_385, 300_000].map((size) => Buffer.alloc(size, size % 251));

  await store.putObject({ bucket, key: "k" }, chunks(...parts));

  const read = Buffer.concat(await collect(store.getObject({ bucket, key: "k" })));
  assert.ok(read.equals(Buffer.concat(parts)));
});

test("leaving a get early ends it and leaves the client usable", async (context) => {
  const { manager } = await start(context);
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });
  await store.putObject({ bucket, key: "k" }, chunks(Buffer.alloc(4_000_000)));

  for await (const chunk of store.getObject({ bucket, key: "k" })) if (chunk.length > 0) break;

  assert.equal(await store.objectExists({ bucket, key: "k" }), true);
});

test("a plugin that ignores Shutdown is killed after the wait, which is a violation", async (context) => {
  const violations: string[] = [];
  const { manager } = await start(
    context,
    { ignoresShutdown: true },
    { shutdownTimeoutMs: 300, onViolation: (violation) => violations.push(violation) },
  );
  await manager.getObjectStore("example.com/raw").init({ bucket });
  const [pid] = manager.pids;

  await manager.close();

  assert.throws(() => process.kill(pid ?? 0, 0), { code: "ESRCH" });
  assert.match(violations.join(), /did not leave within 300 ms of Shutdown/);
});

test("an exit code other than 0 on Shutdown is a violation", async (context) => {
  const violations: string[] = [];
  await start(context, { shutdownExitCode: 4 }, { onViolation: (violation) => violations.push(violation) });

  assert.match(violations.join(), /did not exit with code 0 on Shutdown: .*exited with code 4/);
});

test("a flood on stdout after the handshake neither blocks the plugin nor goes unreported", async (context) => {
  const violations: string[] = [];
  const { manager } = await start(
    context,
    { stdoutFloodBytes: 2_000_000 },
    { onViolation: (violation) => violations.push(violation) },
  );
  const store = manager.getObjectStore("example.com/raw");
  await store.init({ bucket });

  assert.equal(await store.objectExists({ bucket, key: "k" }), false);
  assert.match(violations.join(), /stops the server's reader/);
});

test("log lines reach the listener, and a line that could crash the server is a violation", async (context) => {
  const [lines, violations]: [string[], string[]] = [[], []];
  await start(
    context,
    { stderr: [`{"@level":"info","@message":"ready","bucket":"b"}`, `{"@level":"info","@message":{}}`] },
    {
      onLog: (line) => lines.push(`${line.level} ${line.message}`),
      onViolation: (violation) => violations.push(violation),
    },
  );

  assert.deepEqual(lines.slice(0, 2), ["info ready", "info {}"]);
  assert.match(violations.join(), /"@message" is not a string/);
});

async function retried<T>(work: () => Promise<T>): Promise<T> {
  // The call during which the crash is noticed may be the one that fails; the server does not repeat it either.
  return await work().catch(work);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
