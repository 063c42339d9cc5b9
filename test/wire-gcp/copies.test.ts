import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, collect, failureOf, mebibyte } from "../wire/bytes.ts";
import { startCopiesRig } from "./copies-rig.ts";
import type { Copied } from "./copies-rig.ts";
import { smallPartBytes, smallParts } from "./gcs-rig.ts";

const rig = await startCopiesRig({ rewriteBytes: 4 * mebibyte });
after(() => rig.close());

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");
const refusal = { kind: "error", status: 403, code: "forbidden" } as const;
const throttle = { kind: "error", status: 429, code: "rateLimitExceeded" } as const;
const rewrites = { operation: "RewriteObject" } as const;

async function copyOf({ copies }: Copied, key = "contents"): Promise<Buffer> {
  return (await copies.file(key).download())[0];
}

async function isCopied({ copies }: Copied, key = "contents"): Promise<boolean> {
  return (await copies.file(key).exists())[0];
}

describe("the copy of an object that is put", { concurrency: true, timeout: 600_000 }, () => {
  test("a required copy that is refused fails the put, names the target and says that the object is stored", async () => {
    const copied = await rig.openCopied("required");
    rig.gcs.faults.add(refusal, { bucket: "required", ...rewrites }, { times: 99 });

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /stored, but not copied to gs:\/\/required-copy/);
    assert.match(error.message, /storage\.objects\.create/);
    assert.ok((await copied.location.get("contents")).equals(small));
  });

  test("a best-effort copy that is refused is one warning that says how to make it", async () => {
    const copied = await rig.openCopied("best-effort", { query: { mode: "best-effort" } });
    rig.gcs.faults.add(refusal, { bucket: "best-effort", ...rewrites }, { times: 99 });

    await copied.location.put("contents", small);

    const [warning, ...more] = await rig.toldOf("best-effort", "warn");
    assert.match(warning?.message ?? "", /flotilla backup copy/);
    assert.equal(more.length, 0);
    assert.equal(await isCopied(copied), false);
  });

  test("a bucket of copies that is missing is a wrong configuration, never an absent object", async () => {
    const copied = await rig.openCopied("no-bucket");
    await copied.copies.delete();

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /gs:\/\/no-bucket-copy/);
  });

  test("a copy that arrives with other bytes is removed and made again", async () => {
    const copied = await rig.openCopied("flip-once");
    const fault = rig.gcs.faults.add({ kind: "corrupt-copy", atByte: 77 }, { bucket: "flip-once", ...rewrites });

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 1);
    assert.ok((await copyOf(copied)).equals(small));
  });

  test("bytes that always change on the store's way are carried over by the plugin, with a warning", async () => {
    const copied = await rig.openCopied("flip-always");
    const match = { bucket: "flip-always", ...rewrites };
    rig.gcs.faults.add({ kind: "corrupt-copy", atByte: 77 }, match, { times: 99 });

    await copied.location.put("contents", small);

    assert.ok((await copyOf(copied)).equals(small));
    assert.ok(
      (await rig.toldOf("flip-always-copy", "warn")).some(({ message }) => /pass through the plugin/.test(message)),
    );
  });

  test("a throttled store is asked again until it takes the copy", async () => {
    const copied = await rig.openCopied("throttled");
    const fault = rig.gcs.faults.add(throttle, { bucket: "throttled", ...rewrites }, { times: 8 });

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 8);
    assert.ok((await copyOf(copied)).equals(small));
  });

  test("a small object is copied by one request for exactly this generation, into exactly what was seen there", async () => {
    const copied = await rig.openCopied("one-round");

    await copied.location.put("backups/a/contents", small);

    const key = "backups/a/contents";
    assert.ok((await copyOf(copied, key)).equals(small));
    const [first, ...more] = rig.requestsOf("one-round", "RewriteObject");
    assert.equal(more.length, 0);
    const [{ generation }] = await rig.bucket("one-round").file(key).getMetadata();
    assert.equal(first?.query.get("ifSourceGenerationMatch"), String(generation));
    assert.equal(first?.query.get("ifGenerationMatch"), "0");
    assert.equal((await copied.copies.file(key).getMetadata())[0].contentType, "application/octet-stream");
  });

  test("a large object is copied in as many rounds as the store wants, each with the token of the former", async () => {
    const copied = await rig.openCopied("rounds", { config: smallParts });

    await copied.location.put("contents", large);

    assert.ok((await copyOf(copied)).equals(large));
    const rounds = rig.requestsOf("rounds", "RewriteObject");
    assert.equal(rounds.length, Math.ceil(large.length / (4 * mebibyte)));
    assert.deepEqual(
      rounds.map(({ query }) => query.has("rewriteToken")),
      rounds.map((_, index) => index > 0),
    );
  });

  test("a round whose answer is lost begins the copy again, since its token is spent", async () => {
    const copied = await rig.openCopied("lost-round", { config: smallParts });
    const fault = rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-round", ...rewrites }, { skip: 2 });

    await copied.location.put("contents", large);

    assert.equal(fault.hits, 1);
    assert.ok((await copyOf(copied)).equals(large));
  });

  test("a copy whose last answer is lost is found to be there", async () => {
    const copied = await rig.openCopied("lost-answer");
    const fault = rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-answer", ...rewrites });

    await copied.location.put("contents", small);

    assert.equal(fault.hits, 1);
    assert.ok((await copyOf(copied)).equals(small));
    assert.equal(rig.linesOf("lost-answer", "warn").length, 0);
  });

  test("a put replaces the copy of what was there before", async () => {
    const copied = await rig.openCopied("replaced");
    await copied.location.put("contents", bytesOf(10, "former"));

    await copied.location.put("contents", small);

    assert.ok((await copyOf(copied)).equals(small));
  });

  test("of two puts of one key, the copy is of the one that the location keeps", async () => {
    const copied = await rig.openCopied("race", { config: smallParts });
    const delay = rig.gcs.faults.add(
      { kind: "delay", ms: 400 },
      { bucket: "race", ...rewrites },
      { skip: 1, times: 3 },
    );
    const [one, other] = [bytesOf(2 * smallPartBytes, "one"), bytesOf(2 * smallPartBytes, "other")];

    await Promise.all([copied.location.put("contents", one), copied.location.put("contents", other)]);

    assert.ok(delay.hits > 0);
    assert.ok((await copyOf(copied)).equals(await copied.location.get("contents")));
  });

  test("a target's prefix takes the place of the location's", async () => {
    const copied = await rig.openCopied("prefixed", { prefix: "dr/cluster", config: { prefix: "velero" } });

    await copied.location.put("velero/backups/a/contents", small);

    assert.ok((await copyOf(copied, "dr/cluster/backups/a/contents")).equals(small));
  });

  test("a deletion takes the copy with it", async () => {
    const copied = await rig.openCopied("deleted");
    await copied.location.put("contents", small);

    await copied.location.store.deleteObject(copied.location.at("contents"));

    assert.equal(await isCopied(copied), false);
    assert.equal(await copied.location.exists("contents"), false);
  });

  test("a copy that cannot be deleted keeps the object, so that a second try finds both", async () => {
    const copied = await rig.openCopied("kept");
    await copied.location.put("contents", small);
    rig.gcs.faults.add(refusal, { bucket: copied.copyBucket, method: "DELETE" });

    const error = await failureOf(copied.location.store.deleteObject(copied.location.at("contents")));

    assert.match(error.message, /kept-copy/);
    assert.ok((await copied.location.get("contents")).equals(small));
    await copied.location.store.deleteObject(copied.location.at("contents"));
    assert.equal(await isCopied(copied), false);
  });

  test("the bucket of the copies is a location of its own", async () => {
    const copied = await rig.openCopied("standalone");
    await copied.location.put("backups/a/contents", large);
    const { copy } = await rig.configsOf("standalone");
    const store = rig.start().manager.getObjectStore("velero.io/gcp");
    await store.init(copy);

    const bucket = copied.copyBucket;
    assert.deepEqual(await store.listObjects({ bucket, prefix: "backups/" }), ["backups/a/contents"]);
    assert.ok((await collect(store.getObject({ bucket, key: "backups/a/contents" }))).equals(large));
  });

  test("a location without copyTo makes no request more", async () => {
    const location = await rig.open("alone");

    await location.put("contents", small);

    assert.deepEqual(
      rig.requestsOf("alone").map(({ operation }) => operation),
      ["InsertObject"],
    );
  });
});

describe(
  "an object that the location has lost or that is damaged there",
  { concurrency: true, timeout: 240_000 },
  () => {
    for (const [name, bytes] of [
      ["small", small],
      ["large", large],
    ] as const) {
      test(`a ${name} object with a flipped bit comes from its copy, byte for byte, with a warning`, async () => {
        const copied = await rig.openCopied(`rotten-${name}`, { config: smallParts });
        await copied.location.put("contents", bytes);
        await copied.location.flipBit("contents", bytes.length - 7);

        assert.ok((await copied.location.get("contents")).equals(bytes));
        const [warning] = await rig.toldOf(`rotten-${name}`, "warn");
        assert.match(`${warning?.message}`, new RegExp(`gs://rotten-${name}-copy`));
      });
    }

    test("an object that is gone comes from its copy, and its name stays taken", async () => {
      const copied = await rig.openCopied("gone");
      await copied.location.put("contents", small);
      await rig.bucket("gone").file("contents").delete();

      assert.equal(await copied.location.exists("contents"), true);
      assert.ok((await copied.location.get("contents")).equals(small));
    });
  },
);
