import assert from "node:assert/strict";
import { test } from "node:test";
import { checksumOf, printChecksum } from "@flotilla/sdk/objects";
import type { BlobUpload } from "@flotilla/sdk/objects";
import { isKind } from "@flotilla/sdk/plugin";
import type { SeenRequest, StubAnswer } from "@flotilla/sdk/testing";
import { chunkMultipleBytes } from "./gcs-upload.ts";
import { quietCall } from "./testing/call.ts";
import { gcsError, json, openStubBucket } from "./testing/stub-bucket.ts";

const quantum = chunkMultipleBytes;
const first = Buffer.alloc(4 * quantum, 1);
const last = Buffer.alloc(quantum + 5, 2);
const whole = Buffer.concat([first, last]);

/** A store that keeps at most `step` bytes of each request, and whose other answers the test may replace. */
class Store {
  readonly #step: number;
  readonly #replace: (request: SeenRequest, count: number) => StubAnswer | undefined;
  #size = 0;
  #count = 0;
  readonly kept: Buffer[] = [];

  constructor(
    step: number,
    replace: (request: SeenRequest, count: number) => StubAnswer | undefined = () => undefined,
  ) {
    this.#step = step;
    this.#replace = replace;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.kept);
  }

  readonly answer = (request: SeenRequest): StubAnswer => {
    if (request.method === "POST") return { headers: { location: "http://elsewhere.example/upload?upload_id=1" } };
    this.#count += 1;
    const replaced = this.#replace(request, this.#count);
    if (replaced !== undefined) return replaced;
    if (request.method === "DELETE") return { status: 499 };
    const range = String(request.headers["content-range"]);
    const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? this.#size);
    if (start !== this.#size) return gcsError(503, "backendError");
    const taken = request.body.subarray(0, this.#step);
    this.kept.push(taken);
    this.#size += taken.byteLength;
    const total = /\/(\d+)$/.exec(range)?.[1];
    if (Number(total) === this.#size) return json({ size: String(this.#size) });
    return { status: 308, headers: this.#size === 0 ? {} : { range: `bytes=0-${this.#size - 1}` } };
  };
}

async function put(upload: BlobUpload, parts: readonly Buffer[]): Promise<void> {
  for (const [index, part] of parts.entries()) await upload.putPart(index + 1, part, undefined, quietCall);
  const sizeBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const checksum = await checksumOf("crc32c", Buffer.concat(parts));
  await upload.complete({ parts: [], sizeBytes, checksum }, quietCall);
}

test("a session is asked by the way that the location takes to the store, whatever host it names", async (t) => {
  const store = new Store(Infinity);
  const { driver, seen } = await openStubBucket(t, store.answer);

  await put(await driver.startUpload("k", quietCall), [first, last]);

  assert.ok(store.bytes.equals(whole));
  assert.ok(seen.slice(1).every(({ url }) => url === "/upload?upload_id=1"));
  assert.deepEqual(
    seen.slice(1).map(({ headers }) => headers["content-range"]),
    [
      `bytes 0-${4 * quantum - 1}/*`,
      `bytes ${4 * quantum}-${5 * quantum - 1}/*`,
      `bytes ${5 * quantum}-${5 * quantum + 4}/${5 * quantum + 5}`,
    ],
  );
});

test("a store that keeps a part of each chunk only is sent the rest again", async (t) => {
  const store = new Store(quantum);
  const { driver } = await openStubBucket(t, store.answer);

  await put(await driver.startUpload("k", quietCall), [first, last]);

  assert.ok(store.bytes.equals(whole));
});

test("a store that keeps nothing of a chunk is unavailable, and the part may be put again", async (t) => {
  let isFull = true;
  const store = new Store(Infinity, ({ headers }) =>
    isFull && headers["content-range"] !== "bytes */*" ? { status: 308 } : undefined,
  );
  const { driver } = await openStubBucket(t, store.answer);
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(upload.putPart(1, first, undefined, quietCall), (error) => isKind(error, "unavailable"));
  isFull = false;
  await put(upload, [first, last]);

  assert.ok(store.bytes.equals(whole));
});

test("a store that lost bytes which it had confirmed is not sent others in their place", async (t) => {
  const store = new Store(Infinity, (_, count) =>
    count === 2 ? { status: 308, headers: { range: "bytes=0-9" } } : undefined,
  );
  const { driver } = await openStubBucket(t, store.answer);
  const upload = await driver.startUpload("k", quietCall);
  await upload.putPart(1, first, undefined, quietCall);

  const putting = upload.putPart(2, first, undefined, quietCall);

  // It keeps less than before: what it says now is where it would go on.
  await assert.rejects(putting, (error) => isKind(error, "unavailable") || isKind(error, "conflict"));
});

test("a store that ends the upload in the middle is corrupt", async (t) => {
  const { driver } = await openStubBucket(t, new Store(Infinity, () => json({ size: "7" })).answer);
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(upload.putPart(1, first, undefined, quietCall), (error) => isKind(error, "corrupt"));
});

for (const [name, body] of [
  ["size", { size: "3" }],
  ["checksum", { size: String(whole.byteLength), crc32c: "AAAAAA==" }],
] as const) {
  test(`a store that kept another ${name} is corrupt`, async (t) => {
    const isLast = ({ headers }: SeenRequest): boolean => headers["x-goog-hash"] !== undefined;
    const store = new Store(Infinity, (request) => (isLast(request) ? json(body) : undefined));
    const { driver } = await openStubBucket(t, store.answer);

    await assert.rejects(put(await driver.startUpload("k", quietCall), [first, last]), (error) =>
      isKind(error, "corrupt"),
    );
  });
}

test("a checksum that the store finds wrong at the end is corrupt, and not tried again", async (t) => {
  const sum = printChecksum(await checksumOf("crc32c", whole));
  const isLast = ({ headers }: SeenRequest): boolean => headers["x-goog-hash"] !== undefined;
  const refusal = gcsError(400, "invalid", `Provided CRC32C "${sum}" doesn't match calculated CRC32C "AAAAAA==".`);
  const { driver, seen } = await openStubBucket(
    t,
    new Store(Infinity, (one) => (isLast(one) ? refusal : undefined)).answer,
  );

  await assert.rejects(put(await driver.startUpload("k", quietCall), [first, last]), (error) =>
    isKind(error, "corrupt"),
  );

  assert.equal(seen.filter(isLast).length, 1);
});

for (const status of [499, 204, 404, 410]) {
  test(`an abort that is answered ${status} has left nothing`, async (t) => {
    const store = new Store(Infinity, ({ method }) => (method === "DELETE" ? { status } : undefined));
    const { driver, seen } = await openStubBucket(t, store.answer);
    const upload = await driver.startUpload("k", quietCall);

    await upload.abort(quietCall);

    assert.equal(seen.at(-1)?.method, "DELETE");
    assert.equal(seen.at(-1)?.headers["content-length"], "0");
  });
}

test("an abort that the store cannot do now is unavailable", async (t) => {
  const store = new Store(Infinity, ({ method }) => (method === "DELETE" ? gcsError(503, "backendError") : undefined));
  const { driver } = await openStubBucket(t, store.answer);
  const upload = await driver.startUpload("k", quietCall);

  await assert.rejects(upload.abort(quietCall), (error) => isKind(error, "unavailable"));
});

test("a store that names no session is none of Cloud Storage's", async (t) => {
  const { driver } = await openStubBucket(t, () => ({ status: 200 }));

  await assert.rejects(driver.startUpload("k", quietCall), (error) => isKind(error, "unsupported"));
});
