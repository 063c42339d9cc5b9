import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { status } from "@grpc/grpc-js";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess, serverChunkBytes } from "../testing/fixture-process.ts";
import { velero } from "../wire/index.ts";

const { method } = velero.ObjectStore;
const plugin = fixtureName;

let fixture: FixtureProcess;
before(() => {
  fixture = new FixtureProcess();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("a call before any Init says what is missing", async () => {
  await using fresh = new FixtureProcess();

  const call = fresh.call(method.objectExists, { plugin, bucket: "b", key: "k" });

  await assert.rejects(call, { code: status.INVALID_ARGUMENT, details: /Init must be called/ });
});

test("an unknown implementation name is refused without words that mean absence", async () => {
  const call = fixture.call(method.init, { plugin: "velero.io/other", config: {} });

  await assert.rejects(call, { code: status.INVALID_ARGUMENT, details: /velero.io\/other is not registered/ });
});

test("an unknown key of the configuration fails Init", async () => {
  const call = fixture.initObjectStore({ bucket: "b", bukket: "c" });

  await assert.rejects(call, { code: status.FAILED_PRECONDITION, details: /config has invalid keys \[bukket/ });
});

for (const sizeBytes of [0, 1, serverChunkBytes, serverChunkBytes + 1, 262_143, 262_144, 262_145, 5_000_000]) {
  test(`${sizeBytes} bytes come back as they were put`, async () => {
    await fixture.initObjectStore({ bucket: `size-${sizeBytes}` });
    const object = { bucket: `size-${sizeBytes}`, key: "backups/ä b/+%.gz" };
    const body = Buffer.from(Array.from({ length: sizeBytes }, (_, n) => (n * 31) % 251));

    await fixture.put(object, body);
    const messages = await fixture.get(object);

    assert.ok(Buffer.concat(messages).equals(body));
    assert.ok(messages.every((message) => message.length <= 262_144));
    assert.equal(messages.length, Math.ceil(sizeBytes / 262_144));
  });
}

test("fifty puts at once keep their bodies apart", async () => {
  await fixture.initObjectStore({ bucket: "parallel" });
  const objects = Array.from({ length: 50 }, (_, n) => ({
    bucket: "parallel",
    key: `k-${n}`,
    body: Buffer.alloc(200_000, n),
  }));

  await Promise.all(objects.map(async ({ body, ...object }) => await fixture.put(object, body)));

  for (const { body, ...object } of objects)
    assert.ok(Buffer.concat(await fixture.get(object)).equals(body), object.key);
});

test("an answer far larger than gRPC's usual limit arrives", async () => {
  await fixture.initObjectStore({ bucket: "huge", fault: "list-is-huge" });

  const { keys } = await fixture.call(method.listObjects, { plugin, bucket: "huge", prefix: "" });

  assert.equal(keys.length, 120_000);
});

test("a request far larger than gRPC's usual limit is taken", async () => {
  await fixture.initObjectStore({ bucket: "large-request" });

  await fixture.call(method.deleteObject, { plugin, bucket: "large-request", key: "k".repeat(5_000_000) });
});

test("a fault of ours is answered like a panic, and the process goes on", async () => {
  await fixture.initObjectStore({ bucket: "panic", fault: "panics" });

  const call = fixture.call(method.objectExists, { plugin, bucket: "panic", key: "k" });

  await assert.rejects(call, {
    code: status.ABORTED,
    details: /^plugin panicked: TypeError: .*missing blob is missing$/,
  });
  await fixture.initObjectStore({ bucket: "after-panic" });
});

test("lists, deletion, existence and signed URLs reach the store", async () => {
  await fixture.initObjectStore({ bucket: "rest" });
  for (const key of ["backups/a/1", "backups/a/2", "backups/b/1"])
    await fixture.put({ bucket: "rest", key }, Buffer.from(key));

  await fixture.call(method.deleteObject, { plugin, bucket: "rest", key: "backups/b/1" });
  const prefixes = await fixture.call(method.listCommonPrefixes, {
    plugin,
    bucket: "rest",
    delimiter: "/",
    prefix: "backups/",
  });
  const keys = await fixture.call(method.listObjects, { plugin, bucket: "rest", prefix: "backups/a/" });
  const exists = await fixture.call(method.objectExists, { plugin, bucket: "rest", key: "backups/b/1" });
  const signed = await fixture.call(method.createSignedURL, {
    plugin,
    bucket: "rest",
    key: "k",
    ttl: 600_000_000_000n,
  });

  assert.deepEqual(prefixes.prefixes, ["backups/a/"]);
  assert.deepEqual(keys.keys, ["backups/a/2", "backups/a/1"]);
  assert.equal(exists.exists, false);
  assert.match(signed.url, /ttl=600$/);
});

test("a time to live that is not positive is refused", async () => {
  await fixture.initObjectStore({ bucket: "ttl" });

  const call = fixture.call(method.createSignedURL, { plugin, bucket: "ttl", key: "k", ttl: 0n });

  await assert.rejects(call, { code: status.INVALID_ARGUMENT });
});

test("locations of one name with two buckets and two prefixes keep their objects apart", async () => {
  await using fresh = new FixtureProcess();
  for (const [bucket, prefix] of [
    ["one", "p"],
    ["one", "p/deep"],
    ["two", ""],
  ] as const)
    await fresh.initObjectStore({ bucket, prefix });

  await fresh.put({ bucket: "one", key: "p/deep/k" }, Buffer.from("deep"));
  await fresh.put({ bucket: "one", key: "p/deeper/k" }, Buffer.from("shallow"));
  await fresh.put({ bucket: "two", key: "p/k" }, Buffer.from("two"));

  // Each location of the fixture has a store of its own, so a list shows what arrived there.
  const keysOf = async (bucket: string, prefix: string) =>
    (await fresh.call(method.listObjects, { plugin, bucket, prefix })).keys;
  assert.deepEqual(await keysOf("one", "p/deep/"), ["p/deep/k"]);
  assert.deepEqual(await keysOf("one", "p/"), ["p/deeper/k"]);
  assert.deepEqual(await keysOf("two", ""), ["p/k"]);
});
