import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTries, isKind, PluginError, silentLogger } from "../plugin/index.ts";
import { collect, FaultyBlobDriver, MemoryBlobDriver, sampleBytes, settle, TestClock } from "../testing/index.ts";
import { openDownload } from "./download.ts";
import { PartPool } from "./part-pool.ts";
import { readerAwayMs, stallLimitMs } from "./time-limits.ts";
import type { Call, Clock } from "../plugin/index.ts";
import type { Fault } from "../testing/index.ts";
import type { TransferContext } from "./transfer-context.ts";

const memoryLimitBytes = 64 * 1024;
/** What this memory gives: an eighth of it. */
const partBytes = 8 * 1024;
const ref = { bucket: "b", key: "k" };
const bytes = sampleBytes(12 * partBytes + 5);

interface Bench {
  readonly memory: MemoryBlobDriver;
  readonly faulty: FaultyBlobDriver;
  readonly clock: TestClock;
  readonly context: TransferContext;
  readonly abort: AbortController;
  readonly call: Call;
}

/** A store far away, whose large objects are read by ranges, unless told. */
function bench(
  faults: readonly Fault[] = [],
  content = bytes,
  clock = new TestClock({ skipsSleep: true }),
  isNear = false,
): Bench {
  const memory = new MemoryBlobDriver({ chunkBytes: 1000, farBy: isNear ? undefined : clock });
  memory.store(ref.key, Buffer.from(content), undefined);
  const faulty = new FaultyBlobDriver(memory, faults);
  const abort = new AbortController();
  const pool = new PartPool(memoryLimitBytes);
  const context = { driver: faulty, pool, retry: { ...defaultTries, clock, random: () => 0.5 } };
  return { memory, faulty, clock, context, abort, call: { signal: abort.signal, log: silentLogger } };
}

/** A store whose bytes are there at once. */
function near(faults: readonly Fault[] = [], clock?: TestClock): Bench {
  return bench(faults, bytes, clock, true);
}

async function* read({ context, call }: Bench): AsyncGenerator<Uint8Array, void, void> {
  yield* (await openDownload(context, ref, call)).body;
}

async function assertFreed({ memory, context, clock }: Bench): Promise<void> {
  // Connections that nobody waits for close by themselves a moment later.
  await settle();
  assert.equal(memory.openBodies, 0);
  assert.equal(context.pool.budget.usedBytes, 0);
  assert.equal(clock.pending, 0);
}

const survivable: readonly (readonly [string, readonly Fault[]])[] = [
  ["a first request that fails", [{ on: "read", nth: [1], action: failing("unavailable") }]],
  ["a first body that is cut", [{ on: "read", action: { does: "cut", afterBytes: 3000 } }]],
  ["a first body that is cut before its first byte", [{ on: "read", action: { does: "cut", afterBytes: 0 } }]],
  ["a range that is cut", [{ on: "readRange", nth: [3], action: { does: "cut", afterBytes: 3500 } }]],
  ["many ranges that are cut", [{ on: "readRange", nth: [1, 3, 5, 7, 9], action: { does: "cut", afterBytes: 10 } }]],
  ["a range that is refused for a while", [{ on: "readRange", nth: [2, 3, 4], action: failing("unavailable") }]],
  ["a range that ends early", [{ on: "readRange", nth: [2], action: { does: "shorten", afterBytes: 500 } }]],
  ["a range without a byte", [{ on: "readRange", nth: [2], action: { does: "shorten", afterBytes: 0 } }]],
  ["a range that goes on too long", [{ on: "readRange", nth: [2], action: { does: "lengthen", byBytes: 1 } }]],
];
for (const [name, faults] of survivable)
  test(`${name} is made good`, async () => {
    const b = bench(faults);

    assert.ok((await collect(read(b))).equals(bytes));

    await assertFreed(b);
  });

test("a body that breaks again and again is read to its end, as long as each try brings a byte", async () => {
  const b = bench([
    { on: "read", action: { does: "cut", afterBytes: 700 } },
    { on: "readRange", action: { does: "cut", afterBytes: 700 } },
  ]);

  assert.ok((await collect(read(b))).equals(bytes));

  await assertFreed(b);
});

const fatal: readonly (readonly [string, readonly Fault[], PluginError["kind"]])[] = [
  [
    "a range that never answers with a byte",
    [{ on: "readRange", action: { does: "cut", afterBytes: 0 } }],
    "unavailable",
  ],
  [
    "ranges that are always too short",
    [{ on: "readRange", action: { does: "shorten", afterBytes: 0 } }],
    "unavailable",
  ],
  ["a range that is denied", [{ on: "readRange", nth: [4], action: failing("denied") }], "denied"],
];
for (const [name, faults, kind] of fatal)
  test(`${name} fails as ${kind} after the bytes before it, and frees everything`, async () => {
    const b = bench(faults);

    await assert.rejects(collect(read(b)), (error) => isKind(error, kind));

    await assertFreed(b);
  });

test("ranges that are always too long fail as corrupt", async () => {
  const b = bench([{ on: "readRange", action: { does: "lengthen", byBytes: 2000 } }]);

  await assert.rejects(collect(read(b)), (error) => isKind(error, "corrupt"));

  await assertFreed(b);
});

test("an object of exactly one part that goes on too long is no clean end", async () => {
  const b = bench([{ on: "read", action: { does: "lengthen", byBytes: 1 } }], sampleBytes(partBytes));

  assert.equal((await collect(read(b))).byteLength, partBytes);

  assert.equal(b.faulty.counts.get("readRange"), 1);
});

test("versions are never mixed: a change in the middle is a conflict", async () => {
  const b = bench();
  let seen = 0;

  await assert.rejects(
    async () => {
      for await (const chunk of read(b)) {
        if (seen === 0) b.memory.store(ref.key, sampleBytes(bytes.byteLength, 9), undefined);
        assert.ok(chunk.every((byte, index) => byte === bytes[seen + index]));
        seen += chunk.byteLength;
      }
    },
    (error) => isKind(error, "conflict"),
  );

  await assertFreed(b);
});

test("an object deleted in the middle is a conflict, never not found", async () => {
  const b = bench();

  await assert.rejects(
    async () => {
      for await (const _chunk of read(b)) b.memory.objects.clear();
    },
    (error) => isKind(error, "conflict") && !/not found/.test(error.message),
  );

  await assertFreed(b);
});

test("ranges travel at the same time, as far as three quarters of the memory go", async () => {
  const b = bench();
  const reading = read(b);

  await reading.next();
  await settle();
  assert.equal(b.faulty.counts.get("readRange"), 6);
  assert.equal(b.context.pool.budget.usedBytes, 6 * partBytes);

  await reading.return();
  await assertFreed(b);
});

test("a store that is near is read by one connection, whatever the size, and without memory of its own", async () => {
  const b = near();

  assert.ok((await collect(read(b))).equals(bytes));

  assert.equal(b.faulty.counts.get("readRange"), undefined);
  assert.equal(b.context.pool.budget.peakBytes, 0);
  await assertFreed(b);
});

test("a connection to a near store that is cut is made good, while others read on during the pause", async () => {
  const b = near([{ on: "read", action: { does: "cut", afterBytes: 70_000 } }]);

  assert.ok((await collect(read(b))).equals(bytes));

  assert.equal(b.faulty.counts.get("readRange"), 1 + Math.ceil((bytes.byteLength - 70_000 - partBytes) / partBytes));
  await assertFreed(b);
});

test("a connection that is found slow while it is opened again is read as far as it was asked for", async () => {
  let idleMs = 0;
  let look: (() => void) | undefined;
  const clock: Clock = {
    now: () => 0,
    idleMs: () => idleMs,
    sleep: async () => {},
    timer: (ms, callback) => {
      // The one that looks at the pace, not those of stalls.
      if (ms < 1000) look = callback;
      return { refresh: () => {}, cancel: () => {} };
    },
  };
  const falterAtOnce = (): void => {
    idleMs = 1000;
    look?.();
  };
  const b = near([
    { on: "read", action: { does: "cut", afterBytes: 70_000 } },
    { on: "readRange", nth: [1], action: { does: "meanwhile", run: falterAtOnce } },
  ]);

  const { body } = await openDownload({ ...b.context, retry: { ...b.context.retry, clock } }, ref, b.call);
  assert.ok((await collect(body)).equals(bytes));

  assert.equal(b.faulty.counts.get("readRange"), 1 + Math.ceil((bytes.byteLength - 70_000 - partBytes) / partBytes));
});

test("a connection that falls silent on its way has others read what lies behind its next stretch", async () => {
  const clock = new TestClock();
  const b = near([{ on: "read", action: { does: "stall", afterBytes: 30_500 } }], clock);
  const reading = collect(read(b));
  await settle();
  assert.equal(b.faulty.counts.get("readRange"), undefined);

  await clock.advance(100);
  assert.equal(b.faulty.counts.get("readRange"), 6);

  await clock.advance(stallLimitMs);
  await clock.advance(1000);
  assert.ok((await reading).equals(bytes));
  // The first stretch's rest, and what nobody had read: nothing twice.
  const behind = Math.ceil((bytes.byteLength - 30_500 - partBytes) / partBytes);
  assert.equal(b.faulty.counts.get("readRange"), 1 + behind);
  await assertFreed(b);
});

test("an object that is replaced while one connection reads it arrives as it was", async () => {
  const b = near();
  const reading = read(b);
  const first = await reading.next();

  b.memory.store(ref.key, sampleBytes(bytes.byteLength, 9), undefined);

  assert.ok(Buffer.concat([first.value ?? Buffer.alloc(0), await collect(reading)]).equals(bytes));
});

test("without free memory a download still arrives, one range after the other", async () => {
  const b = bench();
  const others = b.context.pool.openShare(0);
  await others.take(memoryLimitBytes, b.call.signal);

  assert.ok((await collect(read(b))).equals(bytes));

  assert.equal(b.context.pool.budget.peakBytes, memoryLimitBytes);
});

test("twenty downloads at once stay within the memory", async () => {
  const b = bench();

  const all = await Promise.all(Array.from({ length: 20 }, async () => await collect(read(b))));

  assert.ok(all.every((each) => each.equals(bytes)));
  assert.ok(b.context.pool.budget.peakBytes <= memoryLimitBytes);
  await assertFreed(b);
});

for (const chunks of [0, 1, 5, 30])
  test(`a reader who leaves after ${chunks} chunks frees everything`, async () => {
    const b = bench();
    const reading = read(b);
    for (let index = 0; index < chunks; index += 1) await reading.next();

    await reading.return();

    await assertFreed(b);
  });

test("a reader who goes away keeps no read-ahead, and finds all bytes when it comes back", async () => {
  const b = bench();
  const reading = read(b);
  const first = await reading.next();
  await settle();

  await b.clock.advance(readerAwayMs);
  assert.equal(b.context.pool.budget.usedBytes, 0);

  const rest = await collect(reading);
  assert.ok(Buffer.concat([first.value ?? Buffer.alloc(0), rest]).equals(bytes));
  await assertFreed(b);
});

test("a reader that pauses is no stall", async () => {
  const b = bench([], sampleBytes(5000));
  const reading = read(b);
  await reading.next();

  await b.clock.advance(10 * stallLimitMs);

  assert.equal((await collect(reading)).byteLength, 4000);
  assert.equal(b.faulty.counts.get("readRange"), undefined);
});

test("a cloud that goes silent in the middle is left and asked again", async () => {
  const clock = new TestClock();
  const b = bench([{ on: "read", action: { does: "stall", afterBytes: 3000 } }], sampleBytes(5000), clock);
  const reading = collect(read(b));
  await settle();
  assert.equal(b.faulty.counts.get("readRange"), undefined);

  await clock.advance(stallLimitMs);
  await clock.advance(1000);

  assert.ok((await reading).equals(sampleBytes(5000)));
  assert.equal(b.faulty.counts.get("readRange"), 1);
});

test("a cloud that never answers is a timeout", async () => {
  const clock = new TestClock();
  const b = bench([{ on: "read", action: { does: "hang", heedsSignal: false } }], bytes, clock);
  const rejected = assert.rejects(collect(read(b)), (error) => isKind(error, "timeout"));
  await settle();

  for (let tries = 0; tries < 5; tries += 1) await clock.advance(stallLimitMs + 15_000);

  await rejected;
  assert.equal(b.faulty.counts.get("read"), 5);
});

test("an abort ends a download that waits for a silent cloud, and frees everything", async () => {
  const b = bench([{ on: "readRange", action: { does: "hang", heedsSignal: true } }]);
  const rejected = assert.rejects(collect(read(b)), /host gone/);
  await settle();

  b.abort.abort(new Error("host gone"));

  await rejected;
  await settle();
  await assertFreed(b);
});

function failing(kind: PluginError["kind"]): Fault["action"] {
  return { does: "fail", error: new PluginError(kind, { kind }) };
}
