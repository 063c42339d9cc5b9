import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { isKind, PluginError, silentLogger } from "../plugin/index.ts";
import { chunksOf, collect, FaultyBlobDriver, MemoryBlobDriver, sampleBytes, TestClock } from "../testing/index.ts";
import { driverObjectStore } from "./driver-object-store.ts";
import type { Call, ObjectInspector, ObjectStore } from "../plugin/index.ts";
import type { Fault, MemoryBlobOptions } from "../testing/index.ts";
import type { BlobDescription, ChecksumAlgorithm } from "./blob-driver.ts";

const memoryLimitBytes = 64 * 1024;
/** What this memory gives: an eighth of it. */
const partBytes = 8 * 1024;
const ref = { bucket: "b", key: "backups/a/a.json" };
const call: Call = { signal: new AbortController().signal, log: silentLogger };

interface Bench {
  readonly store: ObjectStore & ObjectInspector;
  readonly memory: MemoryBlobDriver;
  readonly faulty: FaultyBlobDriver;
}

function bench(faults: readonly Fault[] = [], options: MemoryBlobOptions = {}): Bench {
  const memory = new MemoryBlobDriver({ chunkBytes: 1000, ...options });
  const faulty = new FaultyBlobDriver(memory, faults);
  const clock = new TestClock({ skipsSleep: true });
  return {
    store: driverObjectStore({ openDriver: () => faulty, memoryLimitBytes, clock, random: () => 0 }),
    memory,
    faulty,
  };
}

function isEmpty({ objects, openUploads, openBodies }: MemoryBlobDriver): boolean {
  return objects.size === 0 && openUploads.size === 0 && openBodies === 0;
}

for (const algorithm of ["none", "crc32", "crc32c", "crc64nvme", "sha1", "sha256", "md5"] as ChecksumAlgorithm[])
  for (const size of [0, 1, partBytes - 1, partBytes, partBytes + 1, 3 * partBytes, 20 * partBytes + 7])
    test(`an object of ${size} bytes with checksum ${algorithm} reads as it was written`, async () => {
      const { store, memory } = bench([], { checksumAlgorithm: algorithm });
      const bytes = sampleBytes(size);

      await store.putObject(ref, chunksOf(bytes, 777), call);
      const read = await collect(store.getObject(ref, call));

      assert.ok(read.equals(bytes));
      assert.equal(memory.openUploads.size, 0);
      assert.equal(memory.openBodies, 0);
    });

test("an object of exactly one part takes one request, one byte more takes an upload of parts", async () => {
  const { store, faulty } = bench();

  await store.putObject(ref, chunksOf(sampleBytes(partBytes), 777), call);
  assert.deepEqual([faulty.counts.get("put"), faulty.counts.get("startUpload")], [1, undefined]);

  await store.putObject(ref, chunksOf(sampleBytes(partBytes + 1), 777), call);
  assert.deepEqual([faulty.counts.get("put"), faulty.counts.get("putPart")], [1, 2]);
});

test("a small object is read in one request", async () => {
  const { store, faulty } = bench();
  await store.putObject(ref, chunksOf(sampleBytes(partBytes), 777), call);

  await collect(store.getObject(ref, call));

  assert.deepEqual([faulty.counts.get("read"), faulty.counts.get("readRange")], [1, undefined]);
});

test("twenty uploads at once within a small memory all arrive", async () => {
  const { store, memory } = bench();
  const bytes = sampleBytes(12 * partBytes + 5);

  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await store.putObject({ bucket: "b", key: `k${index}` }, chunksOf(bytes, 900), call);
    }),
  );

  assert.equal(memory.objects.size, 20);
  assert.ok([...memory.objects.values()].every((object) => object.bytes.equals(bytes)));
});

test("a bit flipped in the store below a recorded checksum is caught and named", async () => {
  const { store, memory } = bench();
  await store.putObject(ref, chunksOf(sampleBytes(5 * partBytes), 777), call);
  const object = memory.objects.get(ref.key);
  assert.ok(object);
  object.bytes[3 * partBytes] = (object.bytes[3 * partBytes] ?? 0) ^ 1;

  await assert.rejects(collect(store.getObject(ref, call)), (error) => {
    assert.ok(isKind(error, "corrupt"));
    assert.match(error.message, /backups\/a\/a\.json.*crc32.*recorded as .*its bytes give .*another backup/);
    return true;
  });
});

test("a damaged object of one chunk yields nothing at all", async () => {
  const { store, memory } = bench();
  await store.putObject(ref, chunksOf(sampleBytes(500), 777), call);
  const object = memory.objects.get(ref.key);
  assert.ok(object);
  object.bytes[3] = (object.bytes[3] ?? 0) ^ 1;
  let chunks = 0;

  await assert.rejects(
    async () => {
      for await (const _chunk of store.getObject(ref, call)) chunks += 1;
    },
    (error) => isKind(error, "corrupt"),
  );

  assert.equal(chunks, 0);
});

test("a truncated gzip object is refused and leaves nothing", async () => {
  const { store, memory } = bench();
  const whole = gzipSync(sampleBytes(5 * partBytes));

  await assert.rejects(
    store.putObject({ bucket: "b", key: "a.tar.gz" }, chunksOf(whole.subarray(0, -9), 777), call),
    (error) => isKind(error, "incomplete"),
  );

  assert.ok(isEmpty(memory));
});

test("a replaced object stays when its replacement fails", async () => {
  const { store } = bench([{ on: "complete", action: { does: "fail", error: denied() } }]);
  const before = sampleBytes(10);
  await store.putObject(ref, chunksOf(before, 777), call);

  await assert.rejects(store.putObject(ref, chunksOf(sampleBytes(3 * partBytes), 777), call));

  assert.ok((await collect(store.getObject(ref, call))).equals(before));
});

test("an absent object is told from a failed request", async () => {
  const { store } = bench([{ on: "stat", nth: [3], action: { does: "fail", error: denied() } }]);

  assert.equal(await store.objectExists(ref, call), false);
  await assert.rejects(store.describeObject(ref, call), (error) => isKind(error, "not-found"));
  await assert.rejects(store.objectExists(ref, call), (error) => isKind(error, "denied"));
  await assert.rejects(collect(store.getObject(ref, call)), (error) => isKind(error, "not-found"));
});

test("describing an object tells its size and checksum", async () => {
  const { store } = bench();
  await store.putObject(ref, chunksOf(Buffer.from("123456789"), 777), call);

  const description = await store.describeObject(ref, call);

  assert.equal(description.sizeBytes, 9n);
  assert.deepEqual(description.checksum, { algorithm: "crc32", value: "y/Q5Jg==", scope: "full-object" });
  assert.equal(await store.objectExists(ref, call), true);
});

for (const isCompared of [true, false]) {
  test(`a checksum of parts is ${isCompared ? "" : "not "}told where a read ${isCompared ? "compares" : "cannot compare"} them`, async () => {
    class PartsDriver extends MemoryBlobDriver {
      override async stat(): Promise<BlobDescription> {
        const checksum = { algorithm: "crc32", value: "y/Q5Jg==-3", scope: "composite" } as const;
        return await Promise.resolve({ sizeBytes: 9n, checksum, version: "1", lastModified: undefined, hold: "" });
      }
      async comparesParts(): Promise<boolean> {
        return await Promise.resolve(isCompared);
      }
    }
    const store = driverObjectStore({ openDriver: () => new PartsDriver() });

    const { sizeBytes, checksum } = await store.describeObject(ref, call);

    assert.deepEqual([sizeBytes, checksum?.value], [9n, isCompared ? "y/Q5Jg==-3" : undefined]);
  });
}

test("deleting an absent object succeeds, and a signed URL comes from the driver", async () => {
  const { store } = bench();

  await store.deleteObject(ref, call);

  assert.match(await store.createSignedUrl(ref, 600, call), /ttl=600/);
});

test("each bucket is opened once", async () => {
  const opened: string[] = [];
  const openDriver = (bucket: string): MemoryBlobDriver => {
    opened.push(bucket);
    return new MemoryBlobDriver();
  };
  const store = driverObjectStore({ openDriver });

  for (const bucket of ["x", "y", "x"]) await store.objectExists({ bucket, key: "k" }, call);

  assert.deepEqual(opened, ["x", "y"]);
});

function denied(): PluginError {
  return new PluginError("access denied", { kind: "denied" });
}
