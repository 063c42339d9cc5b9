import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import { whileRead } from "./absent-reader.ts";
import { faultOf, interruptedError, resticError } from "./errors.ts";
import { LineCutter } from "./line-cutter.ts";
import { LineTail } from "./line-tail.ts";
import { LockWait } from "./lock-wait.ts";
import { OperationGate } from "./operation-gate.ts";
import { ReplayableBody } from "./replayable-body.ts";
import { parseVersion } from "./restic-version.ts";
import { parseSnapshotList } from "./snapshot-list.ts";
import { StartLimit } from "./start-limit.ts";

const { signal } = new AbortController();
const call = { signal, log: silentLogger };
const ended = (code: number | null, ...lines: string[]) => ({
  code,
  signal: code === null ? ("SIGKILL" as const) : null,
  lines,
});
const attempt = { action: "list", repository: "/r" };

test("faults are told by the exit codes of 0.17 and by the words of 0.14", () => {
  const words = {
    locked: "unable to create lock in backend: repository is already locked by PID 7940 on vm by root (UID 0, GID 0)",
    "wrong-password": "Fatal: wrong password or no key found",
    "no-repository":
      "Fatal: unable to open config file: stat /r/config: no such file or directory Is there a repository at the following location? /r",
    "no-snapshot": 'Fatal: failed to find snapshot: no matching ID found for prefix "deadbeef"',
  };
  for (const [fault, line] of Object.entries(words)) assert.equal(faultOf(ended(1, line)), fault);
  assert.deepEqual(
    [3, 10, 11, 12, 1].map((code) => faultOf(ended(code))),
    ["incomplete", "no-repository", "locked", "wrong-password", "other"],
  );
  assert.equal(faultOf(ended(null)), "killed");
});

test("a repository that may not be read is not taken for an absent one", () => {
  const end = ended(
    1,
    "Fatal: unable to open config file: Stat: Access Denied. Is there a repository at the following location? s3:x",
  );

  assert.equal(faultOf(end), "other");
  assert.ok(isKind(resticError(end, attempt), "denied"));
});

test("what restic says decides the kind, and the message says what to do", () => {
  const kinds = [
    ["Fatal: cannot dump file: decrypting blob failed: ciphertext verification failed", "corrupt"],
    ["Fatal: dial tcp 127.0.0.1:1: connect: connection refused", "unavailable"],
    ["write /tmp/restic-temp-pack: no space left on device", "unavailable"],
    ["Fatal: server response unexpected: 507 Insufficient Storage (507)", "unavailable"],
    ["write /r/restic-temp-pack: file too large", "unavailable"],
    ["Fatal: config cannot be loaded: unsupported repository version", "invalid-config"],
    [
      'Fatal: unable to open repository at rclone:r:x: error talking HTTP to rclone: Get "http://localhost/f": unexpected EOF',
      "unavailable",
    ],
    [
      'Fatal: unable to open repository at rclone:r:x: exec: "rclone": executable file not found in $PATH',
      "unavailable",
    ],
    ["Fatal: unable to save snapshot: snapshot is empty", "invalid-config"],
    // As S3 says it of a wrong secret and of a wrong key.
    ["Fatal: unable to open config file: Stat: The request signature we calculated does not match the one", "denied"],
    [
      "Fatal: unable to open config file: Stat: The AWS Access Key Id you provided does not exist in our records. Is there a repository at the following location? s3:h",
      "denied",
    ],
    ["Fatal: something new", "internal"],
  ] as const;
  for (const [line, kind] of kinds) {
    const error = resticError(ended(1, line), attempt);
    assert.equal(error.kind, kind, line);
    assert.match(error.message, /^list in repository \/r: .*; /);
  }
});

test("a restic that is given up in silence is told with what it did, one that the plugin gave up with why", () => {
  const late = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  const own = new PluginError("no progress for 30 min", { kind: "timeout" });

  assert.match(String(interruptedError(late, ended(130), attempt)), /list in repository \/r: .*it said nothing; check/);
  assert.equal(interruptedError(own, ended(130), attempt), own);
});

test("the last lines are kept, messages of --json as their text", () => {
  const tail = new LineTail();
  for (let line = 0; line < 30; line += 1) tail.add(Buffer.from(`line ${line}\n`));
  tail.add(Buffer.from('{"message_type":"exit_error","code":10,"message":"Fatal: a\\nb"}\nunfin'));
  tail.add(Buffer.from("ished"));

  const lines = tail.lines();
  assert.equal(lines.length, 20);
  assert.deepEqual(lines.slice(-3), ["line 29", "Fatal: a b", "unfinished"]);
});

test("the stack below an error of an old version does not take the place of the error", () => {
  const tail = new LineTail();
  const stack = Array.from({ length: 20 }, (_, at) => `main.f${at}.func1\n\tgithub.com/restic/restic/f.go:${at}\n`);
  tail.add(Buffer.from(`blob not removed, server response: 403 Forbidden (403)\n${stack.join("")}`));
  tail.add(Buffer.from("runtime.goexit\n\truntime/asm_amd64.s:1594\n"));

  const lines = tail.lines();
  assert.deepEqual(lines, ["blob not removed, server response: 403 Forbidden (403)"]);
  assert.equal(resticError(ended(1, ...lines), attempt).kind, "denied");
});

test("lines are cut where they end, in whatever pieces they come, and one that is too long for a message is dropped", () => {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => void lines.push(line));
  for (const piece of ["on", "e\nt", "wo\n\n", "x".repeat(900_000), "x".repeat(900_000), "x\nth\u00fc", "r"])
    cutter.add(Buffer.from(piece));
  cutter.close();

  assert.deepEqual(lines, ["one", "two", "th\u00fcr"]);
});

test("a body is sent again to another receiver, without losing what the first one waited for", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const body = new ReplayableBody(
    (async function* () {
      yield Buffer.from("one ");
      await promise;
      yield Buffer.from("two");
    })(),
  );
  const gone = new AbortController();
  const first: string[] = [];
  const sent = body.send(async (chunk) => void first.push(String(chunk)), gone.signal);
  await new Promise((done) => setImmediate(done));
  gone.abort();
  resolve();
  await sent;

  const second: string[] = [];
  await body.send(async (chunk) => void second.push(String(chunk)), signal);
  assert.deepEqual([first, second], [["one "], ["one ", "two"]]);
  assert.equal(body.canReplay, true);
});

test("a body larger than what is kept is read ahead in part, and sent once", async () => {
  const chunk = Buffer.alloc(300_000);
  const body = new ReplayableBody(
    (async function* () {
      for (let index = 0; index < 10; index += 1) yield chunk;
    })(),
  );
  assert.equal(await body.readAhead(), false);

  let sentBytes = 0;
  await body.send(async ({ byteLength }) => void (sentBytes += byteLength), signal);
  assert.equal(sentBytes, 3_000_000);
  assert.equal(body.canReplay, false);
});

test("a source is ended while its reader is away, and read again from where he was", async () => {
  let openings = 0;
  const source = (inner: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array> => {
    openings += 1;
    return (async function* () {
      for (const text of ["ab", "cd", "ef"]) {
        inner.signal.throwIfAborted();
        yield Buffer.from(text);
      }
    })();
  };
  let text = "";
  for await (const chunk of whileRead(source, call, 20)) {
    text += String(Buffer.from(chunk));
    if (text === "abcd") await new Promise((done) => setTimeout(done, 60));
  }
  assert.equal(text, "abcdef");
  assert.equal(openings, 2);
});

test("a source that fails is read on from where its reader is, also when he has given the memory of what he has back", async () => {
  let openings = 0;
  const source = (): AsyncIterable<Uint8Array> => {
    openings += 1;
    const isBroken = openings === 1;
    return (async function* () {
      for (const text of ["ab", "cd", "ef"]) {
        if (isBroken && text === "ef") throw new PluginError("not found in the index", { kind: "corrupt" });
        yield new Uint8Array(Buffer.from(text));
      }
    })();
  };
  let text = "";
  for await (const chunk of whileRead(source, call)) {
    text += String(Buffer.from(chunk));
    // As a pool does that is full.
    if (chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0);
  }
  assert.equal(text, "abcdef");
});

test("only so many start at once, and one that gives up waits no more", async () => {
  const limit = new StartLimit(1);
  const release = await limit.take(signal);
  const aborted = new AbortController();
  const impatient = limit.take(aborted.signal);
  const patient = limit.take(signal);
  aborted.abort(new Error("enough"));
  await assert.rejects(impatient, /enough/);
  release();
  release();
  (await patient)();
  (await limit.take(signal))();
});

test("one that removes runs alone; those that add run together", async () => {
  const gate = new OperationGate();
  const first = await gate.enter("append", signal);
  const second = await gate.enter("append", signal);
  let hasEntered = false;
  const alone = gate.enter("exclusive", signal).then((place) => ((hasEntered = true), place));
  first[Symbol.dispose]();
  await new Promise((done) => setImmediate(done));
  assert.equal(hasEntered, false);
  second[Symbol.dispose]();
  const place = await alone;
  assert.equal(gate.isFree, false);
  place[Symbol.dispose]();
  assert.equal(gate.isFree, true);
});

test("restic waits for locks itself where it can; otherwise the tries are spread over the time", async () => {
  let now = 0;
  const clock = {
    now: () => now,
    idleMs: () => 0,
    sleep: async (ms: number) => void (now += ms),
    timer: () => ({ refresh: () => {}, cancel: () => {} }),
  };
  assert.deepEqual(new LockWait(60_000, clock, parseVersion("restic 0.18.1", "r")).flags(), ["--retry-lock", "20s"]);
  const wait = new LockWait(60_000, clock, parseVersion("restic 0.14.0", "r"));
  assert.deepEqual(wait.flags(), []);
  let tries = 0;
  while (await wait.next(call)) tries += 1;
  assert.ok(tries > 3 && tries < 40 && now <= 60_000, `${tries} tries in ${now} ms`);
});

test("a lock that is waited for is looked at again every few minutes, and no restic waits in silence for longer", async () => {
  let now = 0;
  const clock = {
    now: () => now,
    idleMs: () => 0,
    sleep: async (ms: number) => void (now += ms),
    timer: () => ({ refresh: () => {}, cancel: () => {} }),
  };
  const wait = new LockWait(30 * 60_000, clock, parseVersion("restic 0.18.1", "r"));
  let looks = 0;
  do {
    const seconds = Number.parseInt(wait.flags()[1] ?? "0", 10);
    assert.ok(seconds <= 300, `${seconds} s without a word`);
    now += seconds * 1000;
    if (wait.mayBeStale()) looks += 1;
  } while (await wait.next(call));
  assert.ok(looks >= 5 && looks <= 8, `${looks} looks`);
  assert.ok(now > 29 * 60_000, `given up after ${now} ms`);
});

test("of a snapshot that is gone 0.18 says that its file is, and of one that it cannot read something else", () => {
  const gone =
    "Fatal: failed to find snapshot: failed to load snapshot [null]: open /r/snapshots/00: no such file or directory";
  const unread = "Fatal: failed to find snapshot: failed to load snapshot [null]: ciphertext verification failed";
  assert.equal(faultOf(ended(1, gone)), "no-snapshot");
  assert.equal(faultOf(ended(1, unread)), "other");
});

test("a list of snapshots is read, and what is none is refused", () => {
  const [snapshot] = parseSnapshotList(
    '[{"time":"2026-11-27T03:40:38.854246225Z","tags":["a"],"id":"e3","summary":{"total_bytes_processed":6}}]',
  );
  assert.deepEqual(snapshot, {
    id: "e3",
    startedMs: Date.parse("2026-11-27T03:40:38.854Z"),
    tags: ["a"],
    sizeBytes: 6,
  });
  assert.deepEqual(parseSnapshotList("null"), []);
  for (const text of ["", "{}", '[{"id":1}]', '[{"id":"a","time":"yesterday"}]'])
    assert.throws(
      () => parseSnapshotList(text),
      (error) => isKind(error, "internal"),
    );
});
