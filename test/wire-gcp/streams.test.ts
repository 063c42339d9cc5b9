import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { bytesOf, failureOf, inChunks, mebibyte } from "../wire/bytes.ts";
import { until } from "../wire/until.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

/** Streams bytes, then waits for ever: a put that is under way until somebody ends it. */
async function* endless(bytes: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes);
  await delay(2 ** 30, undefined, { signal, ref: false });
}

describe("a source that fails half-way", { concurrency: 4, timeout: 240_000 }, () => {
  for (const [name, sizeBytes] of [
    ["small", 100_000],
    ["large", 2 * smallPartBytes],
  ] as const) {
    test(`a ${name} gzip file that ends early is refused as incomplete and the former object stays`, async () => {
      const location = await rig.open(`half-closed-${name}`, { config: smallParts });
      const key = "backups/b/b.tar.gz";
      const whole = gzipSync(bytesOf(sizeBytes, name), { level: 0 });
      await location.put(key, gzipSync("former"));

      const error = await failureOf(location.put(key, whole.subarray(0, -3)));

      assert.equal(error.kind, "incomplete");
      assert.ok((await location.get(key)).equals(gzipSync("former")));
      assert.deepEqual(rig.gcs.openUploads(location.bucket), []);
    });
  }

  test("a whole gzip file of several members is stored", async () => {
    const location = await rig.open("whole-gzip");
    const file = Buffer.concat([gzipSync("one"), gzipSync(bytesOf(mebibyte, "two"))]);

    await location.put("backups/b/b.tar.gz", file);

    assert.ok((await location.get("backups/b/b.tar.gz")).equals(file));
  });

  test("a source that throws never finalises what was sent of it: the official plugin stores a truncated object", async () => {
    const location = await rig.open("source-throws", { config: smallParts });
    async function* broken() {
      yield* inChunks(bytesOf(2 * smallPartBytes + 99, "broken"));
      throw new Error("the disk of the host failed");
    }

    await assert.rejects(location.store.putObject(location.at("contents"), broken()), /the disk of the host failed/);

    assert.equal(await location.exists("contents"), false);
    assert.deepEqual(await location.list(), []);
    await until("the session was cancelled", () => rig.gcs.openUploads("source-throws").length === 0);
  });
});

describe("calls that are given up", { concurrency: 4, timeout: 240_000 }, () => {
  test("a put that is cancelled is never taken for a finished one", async () => {
    const location = await rig.open("cancel-small");
    const cancelling = new AbortController();
    const body = endless(Buffer.from("not all of it"), cancelling.signal);
    const putting = location.store.putObject(location.at("contents"), body, { signal: cancelling.signal });
    await delay(200);

    cancelling.abort();
    await assert.rejects(putting);
    await delay(500);

    assert.equal(await location.exists("contents"), false);
  });

  test("a put that is cancelled after its first chunk cancels its session and keeps the former object", async () => {
    const location = await rig.open("cancel-large", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    const cancelling = new AbortController();
    const body = endless(bytesOf(2 * smallPartBytes + 1, "cancel"), cancelling.signal);
    const putting = location.store.putObject(location.at("contents"), body, { signal: cancelling.signal });
    putting.catch(() => {});
    await rig.untilChunkArrived("cancel-large");

    cancelling.abort();
    await assert.rejects(putting);
    await until("the session was cancelled", () => rig.gcs.openUploads("cancel-large").length === 0);

    assert.equal(rig.requestsOf("cancel-large", "CancelUpload").length, 1);
    assert.equal((await location.get("contents")).toString(), "former");
  });

  test("a get that nobody reads on does not hold up the others", async () => {
    const location = await rig.open("abandoned", { config: smallParts });
    const body = bytesOf(4 * smallPartBytes, "abandoned");
    await location.put("contents", body);
    const abandoned = location.store.getObject(location.at("contents"));
    await abandoned.next();

    const others = await Promise.all([1, 2, 3].map(() => location.get("contents")));

    assert.ok(others.every((received) => received.equals(body)));
    await abandoned.return();
  });

  test("a get that is left early frees its place for the next ones", async () => {
    const location = await rig.open("left-early", { config: smallParts });
    const body = bytesOf(4 * smallPartBytes, "left early");
    await location.put("contents", body);
    for (let round = 0; round < 10; round += 1) {
      const left = location.store.getObject(location.at("contents"));
      await left.next();
      await left.return();
    }

    assert.ok((await location.get("contents")).equals(body));
  });
});
