import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { defaultTries, isKind, PluginError, silentLogger } from "../plugin/index.ts";
import { chunksOf, FaultyBlobDriver, MemoryBlobDriver, sampleBytes, settle, TestClock } from "../testing/index.ts";
import { PartPool } from "./part-pool.ts";
import { stallLimitMs } from "./time-limits.ts";
import { uploadObject } from "./upload.ts";
import type { Call } from "../plugin/index.ts";
import type { Fault, MemoryBlobOptions } from "../testing/index.ts";
import type { TransferContext } from "./transfer-context.ts";

const memoryLimitBytes = 64 * 1024;
/** What this memory gives: an eighth of it. */
const partBytes = 8 * 1024;
const ref = { bucket: "b", key: "backups/a/a.json" };
const unavailable = new PluginError("503", { kind: "unavailable" });
const denied = new PluginError("403", { kind: "denied" });

interface Bench {
  readonly memory: MemoryBlobDriver;
  readonly faulty: FaultyBlobDriver;
  readonly clock: TestClock;
  readonly context: TransferContext;
  readonly abort: AbortController;
  readonly call: Call;
}

function bench(faults: readonly Fault[] = [], options: MemoryBlobOptions = {}, clock = skipping()): Bench {
  const memory = new MemoryBlobDriver(options);
  const faulty = new FaultyBlobDriver(memory, faults);
  const abort = new AbortController();
  const pool = new PartPool(memoryLimitBytes);
  const context = { driver: faulty, pool, retry: { ...defaultTries, clock, random: () => 0.5 } };
  return { memory, faulty, clock, context, abort, call: { signal: abort.signal, log: silentLogger } };
}

function skipping(): TestClock {
  return new TestClock({ skipsSleep: true });
}

function assertNothingLeft({ memory, context, clock }: Bench): void {
  assert.equal(memory.objects.size, 0);
  assert.equal(memory.openUploads.size, 0);
  assert.equal(context.pool.budget.usedBytes, 0);
  assert.equal(clock.pending, 0);
}

async function* endless(): AsyncGenerator<Uint8Array, never, void> {
  for (;;) yield Buffer.alloc(1000);
}

async function* thenSilence(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
  await new Promise(() => {});
}

test("a part that fails is sent again alone", async () => {
  const b = bench([{ on: "putPart", nth: [2, 5], action: { does: "fail", error: unavailable } }]);
  const bytes = sampleBytes(4 * partBytes);

  await uploadObject(b.context, ref, chunksOf(bytes, 999), b.call);

  assert.ok(b.memory.objects.get(ref.key)?.bytes.equals(bytes));
  assert.equal(b.faulty.counts.get("putPart"), 6);
  assert.deepEqual(b.clock.sleptMs, [750, 1500]);
});

test("a driver that takes parts in order is given one at a time, and the next is cut while it travels", async () => {
  const arrival = Promise.withResolvers<void>();
  const fault: Fault = { on: "putPart", nth: [1], action: { does: "wait", until: arrival.promise } };
  const limits = { partMultipleBytes: 1000 };
  const b = bench([fault], { takesPartsInOrder: true, limits });
  const bytes = sampleBytes(5 * partBytes);
  let readBytes = 0;
  const source = (async function* () {
    for await (const chunk of chunksOf(bytes, 999)) {
      readBytes += chunk.byteLength;
      yield chunk;
    }
  })();

  const upload = uploadObject(b.context, ref, source, b.call);
  await settle();
  assert.equal(b.faulty.counts.get("putPart"), 1);
  assert.ok(readBytes >= 2 * 8000, `the second part is cut: ${readBytes}`);
  assert.ok(readBytes < 3 * 8000, `the third is not: ${readBytes}`);
  arrival.resolve();
  await upload;

  assert.ok(b.memory.objects.get(ref.key)?.bytes.equals(bytes));
});

test("parts in order: one that fails is sent again before the next", async () => {
  const b = bench([{ on: "putPart", nth: [2, 4], action: { does: "fail", error: unavailable } }], {
    takesPartsInOrder: true,
  });
  const bytes = sampleBytes(4 * partBytes);

  await uploadObject(b.context, ref, chunksOf(bytes, 999), b.call);

  assert.ok(b.memory.objects.get(ref.key)?.bytes.equals(bytes));
});

test("parts in order: one that fails for good ends the upload", async () => {
  const b = bench([{ on: "putPart", nth: [2], action: { does: "fail", error: denied } }], { takesPartsInOrder: true });

  await assert.rejects(uploadObject(b.context, ref, endless(), b.call), (error) => error === denied);

  assertNothingLeft(b);
});

test("a put that fails is sent again", async () => {
  const b = bench([{ on: "put", nth: [1, 2], action: { does: "fail", error: unavailable } }]);

  await uploadObject(b.context, ref, chunksOf(sampleBytes(10), 999), b.call);

  assert.equal(b.faulty.counts.get("put"), 3);
});

test("a part whose bytes change on the way is refused, and the upload leaves nothing", async () => {
  const b = bench([{ on: "putPart", nth: [3], action: { does: "flip", atByte: 77 } }]);

  await assert.rejects(uploadObject(b.context, ref, chunksOf(sampleBytes(5 * partBytes), 999), b.call), (error) =>
    isKind(error, "corrupt"),
  );

  assertNothingLeft(b);
});

test("parts that are refused end an upload whose source never ends", async () => {
  const b = bench([{ on: "putPart", nth: [30], action: { does: "fail", error: denied } }]);

  await assert.rejects(uploadObject(b.context, ref, endless(), b.call), denied);

  assertNothingLeft(b);
});

test("a part that fails for good ends the wait for a silent source", async () => {
  const b = bench([{ on: "putPart", action: { does: "fail", error: denied } }]);

  await assert.rejects(uploadObject(b.context, ref, thenSilence(sampleBytes(partBytes + 1)), b.call), denied);

  assertNothingLeft(b);
});

test("tries end, and the last error stands", async () => {
  const b = bench([{ on: "putPart", action: { does: "fail", error: unavailable } }]);

  await assert.rejects(uploadObject(b.context, ref, chunksOf(sampleBytes(2 * partBytes), 999), b.call), unavailable);

  assertNothingLeft(b);
});

for (const sizeBytes of [0, 10, partBytes, partBytes + 10, 6 * partBytes])
  test(`a source that fails after ${sizeBytes} bytes is rethrown and leaves nothing`, async () => {
    const b = bench();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield* chunksOf(sampleBytes(sizeBytes), 999);
      throw new Error("disk gone");
    };

    await assert.rejects(uploadObject(b.context, ref, source(), b.call), /disk gone/);

    assertNothingLeft(b);
  });

for (const sizeBytes of [10, partBytes, 6 * partBytes])
  test(`an abort after ${sizeBytes} bytes ends the upload and leaves nothing`, async () => {
    const b = bench();
    const running = uploadObject(b.context, ref, thenSilence(sampleBytes(sizeBytes)), b.call);
    await settle();

    b.abort.abort(new Error("host gone"));

    await assert.rejects(running, /host gone/);
    assertNothingLeft(b);
  });

test("an abort frees an upload whose requests ignore it", async () => {
  const b = bench([{ on: "putPart", action: { does: "hang", heedsSignal: false } }]);
  const running = uploadObject(b.context, ref, chunksOf(sampleBytes(6 * partBytes), 999), b.call);
  await settle();

  b.abort.abort(new Error("host gone"));

  await assert.rejects(running, /host gone/);
  assertNothingLeft(b);
});

test("an upload that was aborted before it began sends nothing", async () => {
  const b = bench();
  b.abort.abort(new Error("host gone"));

  await assert.rejects(uploadObject(b.context, ref, chunksOf(sampleBytes(10), 999), b.call), /host gone/);

  assert.equal(b.faulty.counts.size, 0);
});

test("a failed completion leaves nothing", async () => {
  const b = bench([{ on: "complete", action: { does: "fail", error: denied } }]);

  await assert.rejects(uploadObject(b.context, ref, chunksOf(sampleBytes(2 * partBytes), 999), b.call), denied);

  assertNothingLeft(b);
});

test("an abort of the upload that fails is tried again and never hides the reason", async () => {
  const b = bench([
    { on: "complete", action: { does: "fail", error: denied } },
    { on: "abort", nth: [1, 2], action: { does: "fail", error: unavailable } },
  ]);

  await assert.rejects(uploadObject(b.context, ref, chunksOf(sampleBytes(2 * partBytes), 999), b.call), denied);

  assert.equal(b.faulty.counts.get("abort"), 3);
  assertNothingLeft(b);
});

test("an abort of the upload that never answers is given up", async () => {
  const clock = new TestClock();
  const faults: Fault[] = [
    { on: "complete", action: { does: "fail", error: denied } },
    { on: "abort", action: { does: "hang", heedsSignal: false } },
  ];
  const b = bench(faults, {}, clock);
  const running = uploadObject(b.context, ref, chunksOf(sampleBytes(2 * partBytes), 999), b.call);
  const rejected = assert.rejects(running, denied);
  await settle();

  await clock.advance(30_000);

  await rejected;
});

test("an upload that starts too late is aborted as well", async () => {
  const late = Promise.withResolvers<void>();
  const b = bench([{ on: "startUpload", action: { does: "wait", until: late.promise } }]);
  const running = uploadObject(b.context, ref, chunksOf(sampleBytes(2 * partBytes), 999), b.call);
  await settle();
  b.abort.abort(new Error("host gone"));
  await assert.rejects(running, /host gone/);

  late.resolve();
  await settle();

  assert.equal(b.faulty.counts.get("abort"), 1);
  assertNothingLeft(b);
});

test("a cloud that does not answer is a timeout, however slow the source may be", async () => {
  const clock = new TestClock();
  const b = bench([{ on: "put", nth: [1], action: { does: "hang", heedsSignal: false } }], {}, clock);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    await clock.sleep(10 * stallLimitMs);
    yield Buffer.from("late");
  };
  const running = uploadObject(b.context, ref, source(), b.call);
  await settle();
  await clock.advance(10 * stallLimitMs);
  assert.equal(b.faulty.counts.get("put"), 1);

  await clock.advance(stallLimitMs + 1000);
  await clock.advance(1000);
  await running;

  assert.equal(b.faulty.counts.get("put"), 2);
  assert.equal(b.memory.objects.size, 1);
});

test("a stream larger than the parts can hold fails before completion, names memoryLimit and leaves nothing", async () => {
  const b = bench([], { limits: { maxParts: 5 } });

  await assert.rejects(uploadObject(b.context, ref, endless(), b.call), (error) => {
    assert.ok(isKind(error, "invalid-argument"));
    assert.match(error.message, /memoryLimit/);
    return true;
  });

  assert.equal(b.faulty.counts.get("complete"), undefined);
  assertNothingLeft(b);
});

test("the largest object that the parts can hold is stored", async () => {
  const b = bench([], { limits: { maxParts: 3 } });
  const bytes = sampleBytes(partBytes * (1 + 2 + 4));

  await uploadObject(b.context, ref, chunksOf(bytes, 999), b.call);

  assert.ok(b.memory.objects.get(ref.key)?.bytes.equals(bytes));
});

test("a stream larger than the service accepts fails without naming a key that would not help", async () => {
  const b = bench([], { limits: { maxObjectBytes: 3 * partBytes } });

  await assert.rejects(uploadObject(b.context, ref, endless(), b.call), (error) => {
    assert.ok(isKind(error, "invalid-argument"));
    assert.match(error.message, /the most that the service accepts/);
    return true;
  });

  assertNothingLeft(b);
});

test("small objects from slow sources do not hold up others", async () => {
  const b = bench();
  const slow = Array.from({ length: 50 }, async (_, index) => {
    await uploadObject(b.context, { bucket: "b", key: `slow${index}` }, thenSilence(sampleBytes(10)), b.call);
  });
  await settle();

  await uploadObject(b.context, ref, chunksOf(sampleBytes(20 * partBytes), 999), b.call);

  assert.ok(b.memory.objects.has(ref.key));
  b.abort.abort(new Error("enough"));
  await Promise.allSettled(slow);
  assert.equal(b.context.pool.budget.usedBytes, 0);
});

test("one upload stays within the memory, whatever its size, and many go over it by one part each at most", async () => {
  const anySizes = fc.array(fc.integer({ min: 0, max: 20 * partBytes }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(anySizes, fc.integer({ min: 100, max: 3 * partBytes }), async (sizes, chunkBytes) => {
      const b = bench();

      await Promise.all(
        sizes.map(async (size, index) => {
          const bytes = sampleBytes(size, index + 1);
          await uploadObject(b.context, { bucket: "b", key: `k${index}` }, chunksOf(bytes, chunkBytes), b.call);
          assert.ok(b.memory.objects.get(`k${index}`)?.bytes.equals(bytes));
        }),
      );

      assert.ok(b.context.pool.budget.peakBytes <= memoryLimitBytes + (sizes.length - 1) * partBytes);
      assert.equal(b.context.pool.budget.usedBytes, 0);
    }),
    { numRuns: 40 },
  );
});
