import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, beforeEach, test } from "node:test";
import { isKind, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { TestClock } from "@flotilla/sdk/testing";
import { translateGceAnswer } from "./gce-errors.ts";
import { RunningOperation } from "./gce-operation.ts";
import { GceSession, rootOf } from "./gce-session.ts";
import { GoogleApi } from "./google-api.ts";
import { GcePersistentDiskApi } from "./persistent-disk-api.ts";
import { createTransport } from "./transport.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const seen: string[] = [];
let answers: Answer[] = [];
const server = createServer((request, response) => {
  seen.push(`${request.method ?? ""} ${request.url ?? ""}`);
  (answers.length > 1 ? answers.shift() : answers[0])?.(request, response);
});
const port = await new Promise<number>((resolve) => {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
});
const transport = createTransport({ env: {}, caCert: undefined, insecureSkipVerify: false });
after(() => {
  transport.destroy();
  server.close();
});
beforeEach(() => void seen.splice(0));

const clock = new TestClock({ skipsSleep: true });
const call: Call = { log: silentLogger, signal: new AbortController().signal };
const disk = {
  type: "disks",
  project: "p",
  location: { scope: "zones", name: "us-central1-a" },
  name: "d",
} as const;
const root = rootOf(new URL(`http://127.0.0.1:${port}`));
const api = new GoogleApi({ transport, tokens: undefined, quotaProject: undefined, translate: translateGceAnswer });
const disks = new GcePersistentDiskApi(new GceSession({ api, root, clock, random: () => 1 }));

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

const refusal = (code: number, reason: string): object => ({ error: { code, message: "Why.", errors: [{ reason }] } });
const cut: Answer = (request) => void request.socket.destroy();

test("an endpoint is given with the path of the API or without", () => {
  for (const text of ["https://h", "https://h/", "https://h/compute/v1", "https://h/compute/v1/"])
    assert.equal(rootOf(new URL(text)).href, "https://h/compute/v1/");
  assert.equal(rootOf(new URL("https://h/proxy/compute/beta/")).href, "https://h/proxy/compute/beta/");
  assert.equal(rootOf(new URL("https://h/proxy")).href, "https://h/proxy/compute/v1/");
});

test("throttling is waited for as long as it says, and cut connections are made again", async () => {
  answers = [json(refusal(403, "rateLimitExceeded"), 403, { "retry-after": "7" }), cut, json({ name: "d" })];
  clock.sleptMs.splice(0);

  assert.deepEqual(await disks.getDisk(disk, call), { name: "d" });

  assert.equal(clock.sleptMs[0], 7000);
  assert.deepEqual(new Set(seen), new Set(["GET /compute/v1/projects/p/zones/us-central1-a/disks/d"]));
});

test("a creation is known again by its requestId, however often it is sent", async () => {
  answers = [cut, json({}, 503), json({ name: "op", status: "RUNNING" })];

  await disks.createDisk(disk, { name: "d" }, call);

  assert.equal(seen.length, 3);
  assert.equal(new Set(seen).size, 1);
  assert.match(
    seen[0] ?? "",
    /^POST \/compute\/v1\/projects\/p\/zones\/us-central1-a\/disks\?requestId=[0-9a-f-]{36}$/,
  );
});

test("what will not pass is asked once", async () => {
  answers = [json(refusal(403, "quotaExceeded"), 403)];

  await assert.rejects(disks.createDisk(disk, { name: "d" }, call), (error) => isKind(error, "unavailable"));

  assert.equal(seen.length, 1);
});

test("a proxy's page is not the service's answer", async () => {
  answers = [(_request, response) => void response.end("<html>")];

  await assert.rejects(
    disks.getDisk(disk, call),
    (error) => isKind(error, "unavailable") && error.message.includes("not the service's"),
  );
});

test("an abort ends a request that hangs", async () => {
  answers = [() => {}];
  const abort = new AbortController();
  const reading = disks.getDisk(disk, { ...call, signal: abort.signal });

  setTimeout(() => abort.abort(new Error("host gone")), 50);

  await assert.rejects(reading, /host gone/);
});

test("an operation is looked at where it is, and what it failed of is its end", async () => {
  const failed = { name: "op", status: "DONE", error: { errors: [{ code: "QUOTA_EXCEEDED", message: "Why." }] } };
  answers = [json({ name: "op", status: "RUNNING", progress: 30 }), json(failed)];
  const operation = await disks.delete({ type: "snapshots", project: "p", name: "s" }, call);

  assert.deepEqual(await operation.look(call), { done: false, progress: "RUNNING, 30 %" });
  const end = await operation.look(call);

  assert.match(String(end.done && end.value), /delete snapshot "s" in project "p": a quota is used up: Why\./);
  assert.equal(seen[1], "GET /compute/v1/projects/p/global/operations/op");
});

test("an operation that may not be looked at has an unknown end", async () => {
  answers = [json({ name: "op", status: "RUNNING" }), json(refusal(403, "forbidden"), 403)];
  const operation = await disks.createDisk(disk, { name: "d" }, call);
  await operation.look(call);

  assert.deepEqual(await operation.look(call), { done: true, value: "unknown" });
});

test("an operation that was done at once needs no look", async () => {
  answers = [json({ name: "op", status: "DONE" })];
  const operation = await disks.createDisk(disk, { name: "d" }, call);

  assert.ok(operation instanceof RunningOperation);
  assert.deepEqual(await operation.look(call), { done: true, value: "succeeded" });
  assert.equal(seen.length, 1);
});
