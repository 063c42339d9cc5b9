import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { ListMultipartUploadsCommand, ListPartsCommand, NoSuchUpload } from "@aws-sdk/client-s3";

import { breakConnection } from "./broken-connection.ts";
import { bytesOf, mebibyte } from "./bytes.ts";
import type { Location } from "./location.ts";
import { smallParts, startObjectRig } from "./object-rig.ts";
import { until } from "./until.ts";

/** A longer run than the usual one: FLOTILLA_STRESS_SECONDS=300. */
const seconds = Number(process.env["FLOTILLA_STRESS_SECONDS"] ?? 6);
/** The same seed draws the same calls, though they meet otherwise. */
const seed = Number(process.env["FLOTILLA_STRESS_SEED"] ?? Date.now() % 1_000_000);
const callsAtOnce = 10;
const block = 256 * 1024;
const sizes = [
  [0, 1, 17, 16 * 1024, block - 1, block, block + 1, 2 * block, 3 * block - 11],
  [8 * mebibyte - 1, 8 * mebibyte, 8 * mebibyte + 1, 20 * mebibyte, 20 * mebibyte + 12_345],
].flat();

const rig = await startObjectRig();
after(async () => {
  rig.s3.faults.clear();
  await rig.close();
});

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
let state = seed;

function draw<T>(among: readonly T[]): T {
  const drawn = among[Math.floor(random() * among.length)];
  assert.ok(drawn !== undefined);
  return drawn;
}

/** How many calls of each kind came to their end, and how. */
const outcomes = new Map<string, number>();
function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

interface Stored {
  readonly location: Location;
  readonly key: string;
  readonly bytes: Buffer;
}

/** How one object is read. */
interface Reading {
  readonly kind: string;
  /** What happens to its reader after so many bytes. */
  readonly ends?: "cancelled" | "left";
  readonly afterBytes?: number;
  readonly isSlow?: boolean;
  /** How many bytes may differ, for an answer that is changed on the way; then it must not end well. */
  readonly changedBytes?: number;
}

/** Reads and compares each byte as it comes. */
async function read({ location, key, bytes }: Stored, reading: Reading): Promise<void> {
  const { kind, ends, afterBytes = Infinity, isSlow = false, changedBytes = 0 } = reading;
  const cancelling = new AbortController();
  let at = 0;
  let differing = 0;
  try {
    for await (const chunk of location.store.getObject(location.at(key), { signal: cancelling.signal })) {
      const expected = bytes.subarray(at, at + chunk.length);
      if (!expected.equals(chunk)) differing += countDifferences(expected, chunk);
      assert.ok(differing <= changedBytes, `${kind} of ${key}: ${differing} foreign bytes before ${at + chunk.length}`);
      at += chunk.length;
      if (isSlow) await delay(random() * 5);
      if (at < afterBytes) continue;
      if (ends === "left") break;
      if (ends === "cancelled") cancelling.abort();
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(ends === "cancelled" || changedBytes > 0, `${kind} of ${key} (${bytes.length} bytes): ${String(error)}`);
    count(`${kind}: failed as it should`);
    return;
  }
  assert.equal(differing, 0, `${kind} of ${key} ended well with ${differing} foreign bytes`);
  if (ends === undefined) assert.equal(at, bytes.length, `${kind} of ${key}`);
  count(`${kind}: ended well`);
}

function countDifferences(expected: Uint8Array, chunk: Uint8Array): number {
  return chunk.reduce((sum, byte, index) => (byte === expected[index] ? sum : sum + 1), 0);
}

/**
 * The parts of uploads that are neither complete nor aborted. An upload without any may be left: that of a put that was
 * cancelled before the store answered its id.
 */
async function countParts(bucket: string): Promise<number> {
  const { Uploads = [] } = await rig.probe.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  const counts = Uploads.map(async ({ Key, UploadId }) => {
    const listing = rig.probe.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }));
    // One that was aborted since it was listed has none.
    const { Parts = [] } = await listing.catch((error: unknown) => {
      if (error instanceof NoSuchUpload) return { Parts: [] };
      throw error;
    });
    return Parts.length;
  });
  return (await Promise.all(counts)).reduce((sum, parts) => sum + parts, 0);
}

/** Streams bytes and cancels in their midst. */
async function* cancelledIn(bytes: Uint8Array, cancelling: AbortController): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 16 * 1024) {
    if (at >= bytes.length / 2) cancelling.abort();
    yield bytes.subarray(at, Math.min(at + 16 * 1024, bytes.length));
  }
}

const locations = [await rig.open("stress-large"), await rig.open("stress-small", { config: smallParts })];
const bodies = sizes.map((size, index) => bytesOf(size, `stress ${index}`));
const stored = await Promise.all(
  locations.flatMap((location) =>
    bodies.map(async (bytes, index): Promise<Stored> => {
      const key = `stored-${index}`;
      await location.put(key, bytes);
      return { location, key, bytes };
    }),
  ),
);
const large = stored.filter(({ bytes }) => bytes.length > mebibyte);
let names = 0;

/** An object of one call alone. */
function fresh(bytes: Buffer = draw(bodies)): Stored {
  names += 1;
  return { location: draw(locations), key: `fresh-${names}`, bytes };
}

async function put({ location, key, bytes }: Stored): Promise<void> {
  await location.put(key, bytes);
}

const kinds: Readonly<Record<string, (kind: string) => Promise<void>>> = {
  get: async (kind) => await read(draw(stored), { kind }),
  "slow get": async (kind) => await read(draw(stored), { kind, isSlow: true }),
  "cancelled get": async (kind) =>
    await read(draw(large), { kind, ends: "cancelled", afterBytes: random() * 8 * mebibyte, isSlow: random() < 0.5 }),
  "left get": async (kind) => await read(draw(large), { kind, ends: "left", afterBytes: random() * 8 * mebibyte }),
  "get through cuts": async (kind) => {
    const object = draw(large);
    const match = { bucket: object.location.bucket, key: object.key, operation: "GetObject" };
    rig.s3.faults.add({ kind: "cut-response", afterBytes: Math.floor(random() * 4 * mebibyte) }, match);
    await read(object, { kind });
  },
  "get of an answer that is changed": async (kind) => {
    const object = fresh(draw(bodies.slice(1)));
    await put(object);
    const match = { bucket: object.location.bucket, key: object.key, operation: "GetObject" };
    const atByte = Math.floor(random() * Math.min(object.bytes.length, 5 * mebibyte));
    rig.s3.faults.add({ kind: "corrupt-response", atByte }, match);
    // A changed byte that nobody has seen yet is read anew, so that this may also end well.
    await read(object, { kind, changedBytes: 1 });
  },
  "cancelled get of an answer that stalls": async (kind) => {
    const object = fresh(draw(bodies.slice(-4)));
    await put(object);
    const match = { bucket: object.location.bucket, key: object.key, operation: "GetObject" };
    rig.s3.faults.add({ kind: "stall-response", afterBytes: Math.floor(random() * mebibyte) }, match);
    const { location, key, bytes } = object;
    const cancelling = new AbortController();
    setTimeout(() => cancelling.abort(), 300);
    let at = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of location.store.getObject(location.at(key), { signal: cancelling.signal })) {
        assert.ok(bytes.subarray(at, at + chunk.length).equals(chunk), `${kind} of ${key} at ${at}`);
        at += chunk.length;
      }
    };
    await assert.rejects(reading(), (error) => !(error instanceof assert.AssertionError));
    count(`${kind}: failed as it should`);
  },
  put: async (kind) => {
    const object = fresh();
    await put(object);
    await read(object, { kind });
  },
  "put of gzip": async (kind) => {
    const { location, key, bytes } = fresh(draw(bodies.slice(1)));
    const object = { location, key: `${key}.gz`, bytes: gzipSync(bytes, { level: 0 }) };
    await put(object);
    await read(object, { kind });
    await assert.rejects(location.put(`cut-${key}.gz`, object.bytes.subarray(0, -5)));
    assert.equal(await location.exists(`cut-${key}.gz`), false);
  },
  "put through cuts": async (kind) => {
    const object = fresh(draw(bodies.slice(-7)));
    const match = { bucket: object.location.bucket, key: object.key, operation: ["PutObject", "UploadPart"] };
    rig.s3.faults.add({ kind: "cut-request", afterBytes: Math.floor(random() * mebibyte) }, match);
    rig.s3.faults.add({ kind: "lose-response" }, match, { skip: 1 });
    await put(object);
    await read(object, { kind });
  },
  "cancelled put": async (kind) => {
    const { location, key, bytes } = fresh(draw(bodies.slice(-7)));
    const cancelling = new AbortController();
    const body = cancelledIn(bytes, cancelling);
    await assert.rejects(location.store.putObject(location.at(key), body, { signal: cancelling.signal }));
    await delay(random() * 200);
    assert.equal(await location.exists(key), false);
    count(`${kind}: failed as it should`);
  },
  "calls of a connection that breaks": async (kind) => {
    const { location, key, bytes } = fresh(draw(bodies.slice(-3)));
    const gets = [draw(large), draw(large), draw(large)].map((object) => object.location.at(object.key));
    await breakConnection(rig.folder, {
      gets,
      put: location.at(key),
      putBytes: bytes,
      isDeaf: random() < 0.5,
      breaksAfterMs: random() * 300,
    });
    await delay(200);
    assert.equal(await location.exists(key), false);
    count(`${kind}: failed as it should`);
  },
};

test(
  `no byte of one call ever appears in another, whatever happens to the others (${seconds} s, seed ${seed})`,
  { timeout: (seconds + 120) * 1000 },
  async () => {
    const end = Date.now() + seconds * 1000;
    const order = Object.entries(kinds);
    let started = 0;

    await Promise.all(
      Array.from({ length: callsAtOnce }, async () => {
        // Each kind in turn at first, however slow the machine; then as they are drawn.
        while (Date.now() < end || started < order.length) {
          const [kind, run] = order[started++] ?? draw(order);
          await run(kind);
        }
      }),
    );

    const ended = [...outcomes].map(([outcome, times]) => `${outcome}: ${times}`).toSorted();
    for (const kind of Object.keys(kinds))
      assert.ok(
        ended.some((line) => line.startsWith(`${kind}: `)),
        `no ${kind} came to its end: ${ended.join(", ")}`,
      );
    if (process.env["FLOTILLA_STRESS_SECONDS"] !== undefined) process.stdout.write(`${ended.join("\n")}\n`);
  },
);

test("afterwards nothing is left of what was broken off, and everything is read as ever", async () => {
  rig.s3.faults.clear();
  for (const { bucket } of locations)
    await until(`no part was left in ${bucket}`, async () => (await countParts(bucket)) === 0);

  for (const object of stored) await read(object, { kind: "last get" });
});
