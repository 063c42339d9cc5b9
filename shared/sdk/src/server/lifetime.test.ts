import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClientHttp2Session } from "node:http2";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess, putMessage } from "../testing/fixture-process.ts";
import { Journal } from "../testing/journal.ts";
import { goPlugin, Health, HealthCheckResponse_ServingStatus, velero } from "../wire/index.ts";

const { shutdown } = goPlugin.GRPCController.method;
const { listPlugins } = velero.PluginLister.method;
const grpcHeaders = { "content-type": "application/grpc", te: "trailers" };
const hostPath = fileURLToPath(new URL("../testing/fixture-host.ts", import.meta.url));

// A busy machine makes some ends late; a process that waits for something is late each time.
const tries = 6;

test("Shutdown is answered, and the process is gone at once with 0 and without its socket", async () => {
  const tookMs: number[] = [];
  while (tookMs.length < tries && !tookMs.some((ms) => ms < 900)) {
    await using fixture = new FixtureProcess();
    await fixture.holdStreams();
    const [, , , address] = await fixture.handshake();
    await fixture.call(listPlugins, {});

    const askedAt = performance.now();
    await fixture.call(shutdown, {});
    const end = await fixture.ended;
    tookMs.push(performance.now() - askedAt);

    assert.deepEqual(end, { code: 0, signal: null });
    assert.equal(existsSync(String(address)), false);
  }

  assert.ok(Math.min(...tookMs) < 900, `${tookMs.join(", ")} ms`);
});

test("Shutdown aborts a put that is under way and still ends in time with 0", async () => {
  const tookMs: number[] = [];
  while (tookMs.length < tries && !tookMs.some((ms) => ms < 1800)) {
    await using fixture = new FixtureProcess();
    const journal = new Journal();
    await fixture.initObjectStore({ bucket: "b", fault: "put-keeps-a-journal", journal: journal.path });
    const { stream, finished } = await fixture.startPut();
    finished.catch(() => {});
    stream.write(putMessage({ bucket: "b", key: "k" }, Buffer.alloc(300_000)));
    await journal.waitFor("received");

    const askedAt = performance.now();
    await fixture.call(shutdown, {});
    const end = await fixture.ended;
    tookMs.push(performance.now() - askedAt);

    assert.deepEqual(end, { code: 0, signal: null });
    assert.match(journal.text, /aborted k/);
  }

  assert.ok(Math.min(...tookMs) < 1800, `${tookMs.join(", ")} ms`);
});

for (const streams of ["held", "not held"]) {
  test(`a killed host takes the plugin along and its put is aborted, streams ${streams}`, async () => {
    const journal = new Journal();
    const host = spawn(process.execPath, [hostPath, journal.path, streams], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(host.stdout.setEncoding("utf8"), "data")) as [string];
    const pluginPid = Number(line);
    await journal.waitFor("received");

    host.kill("SIGKILL");

    await untilGone(pluginPid);
    assert.match(journal.text, /aborted k/);
    assert.doesNotMatch(journal.text, /stored/);
  });
}

test("a host that closes its connection while it held a stream is gone", async () => {
  await using fixture = new FixtureProcess();
  const session = await connect(fixture);
  const stream = session.request({ ":method": "POST", ":path": "/plugin.GRPCStdio/StreamStdio", ...grpcHeaders });
  stream.on("error", () => {}).end(Buffer.alloc(5));
  // What comes later on the connection is answered later: then the stream is held.
  const check = session.request({ ":method": "POST", ":path": "/grpc.health.v1.Health/Check", ...grpcHeaders });
  await once(check.resume().end(Buffer.alloc(5)), "end");
  await delay(50);

  session.destroy();

  assert.deepEqual(await fixture.ended, { code: 0, signal: null });
});

test("a host that held no stream may close its idle connection and come back", async () => {
  await using fixture = new FixtureProcess();
  const session = await connect(fixture);

  session.destroy();
  await delay(1500);

  assert.equal((await fixture.call(listPlugins, {})).plugins.length, 2);
});

test("the streams of go-plugin stay open without a word", async () => {
  await using fixture = new FixtureProcess();
  const streams = await fixture.holdStreams();
  const heard: string[] = [];
  for (const stream of streams) for (const event of ["data", "end", "error"]) stream.on(event, () => heard.push(event));

  await fixture.call(listPlugins, {});
  await delay(300);

  assert.deepEqual(heard, []);
});

test("the plugin reports itself healthy", async () => {
  await using fixture = new FixtureProcess();

  const { status } = await fixture.call(Health.method.check, { service: "plugin" });

  assert.equal(status, HealthCheckResponse_ServingStatus.SERVING);
});

test("an error that nobody caught becomes one error line with its reason and a non-zero exit", async () => {
  await using fixture = new FixtureProcess();
  await fixture.initObjectStore({ bucket: "b", fault: "rejects-unheard" });

  const call = fixture.call(velero.ObjectStore.method.objectExists, { plugin: fixtureName, bucket: "b", key: "k" });

  await assert.rejects(call);
  assert.deepEqual(await fixture.ended, { code: 1, signal: null });
  const errors = fixture.logLines.filter((line) => line["@level"] === "error");
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]?.["@message"]), /nobody waits for this/);
});

/** A connection without a client of gRPC's around it, so that it ends when the test says so. */
async function connect(fixture: FixtureProcess): Promise<ClientHttp2Session> {
  const [, , , path] = await fixture.handshake();
  const session = http2.connect("http://unused", { createConnection: () => net.connect(String(path)) });
  session.on("error", () => {});
  await once(session, "remoteSettings");
  return session;
}

async function untilGone(pid: number): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  while (isAlive(pid)) {
    assert.ok(Date.now() < giveUpAt, "the plugin outlived its host");
    await delay(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
}
