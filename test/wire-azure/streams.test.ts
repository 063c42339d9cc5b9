import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { bytesOf, failureOf, inChunks, mebibyte } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

const rig = await startBlobRig();
after(() => rig.close());

/** Streams bytes, then waits for ever: a put that is under way until somebody ends it. */
async function* endless(bytes: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes);
  await delay(2 ** 30, undefined, { signal, ref: false });
}

describe("a source that fails half-way", { concurrency: true, timeout: 240_000 }, () => {
  for (const [name, sizeBytes] of [
    ["small", 100_000],
    ["large", 3 * smallPartBytes],
  ] as const) {
    test(`a ${name} gzip file that ends early is refused as incomplete and the former object stays`, async () => {
      const location = await rig.open(`half-closed-${name}`, { config: smallParts });
      const key = "backups/b/b.tar.gz";
      const whole = gzipSync(bytesOf(sizeBytes, name), { level: 0 });
      await location.put(key, gzipSync("former"));

      const error = await failureOf(location.put(key, whole.subarray(0, -3)));

      assert.equal(error.kind, "incomplete");
      assert.ok((await location.get(key)).equals(gzipSync("former")));
    });
  }

  test("a whole gzip file of several members is stored", async () => {
    const location = await rig.open("whole-gzip");
    const file = Buffer.concat([gzipSync("one"), gzipSync(bytesOf(mebibyte, "two"))]);

    await location.put("backups/b/b.tar.gz", file);

    assert.ok((await location.get("backups/b/b.tar.gz")).equals(file));
  });

  test("a source that throws leaves nothing visible", async () => {
    const location = await rig.open("source-throws", { config: smallParts });
    async function* broken() {
      yield* inChunks(bytesOf(3 * smallPartBytes, "broken"));
      throw new Error("the disk of the host failed");
    }

    await assert.rejects(location.store.putObject(location.at("contents"), broken()), /the disk of the host failed/);

    assert.equal(await location.exists("contents"), false);
    assert.deepEqual(await location.list(), []);
    assert.equal(rig.requestsOf("source-throws", "PutBlockList").length, 0);
  });
});

describe("calls that are given up", { concurrency: true, timeout: 240_000 }, () => {
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

  test("a put that is cancelled after its first blocks keeps the former object and commits nothing", async () => {
    const location = await rig.open("cancel-large", { config: smallParts });
    await location.put("contents", Buffer.from("former"));
    const cancelling = new AbortController();
    const body = endless(bytesOf(2 * smallPartBytes + 1, "cancel"), cancelling.signal);
    const putting = location.store.putObject(location.at("contents"), body, { signal: cancelling.signal });
    putting.catch(() => {});
    await rig.untilBlockArrived("cancel-large");

    cancelling.abort();
    await assert.rejects(putting);
    await delay(500);

    assert.equal((await location.get("contents")).toString(), "former");
    assert.equal(rig.requestsOf("cancel-large", "PutBlockList").length, 0);
  });

  test("a first put that is cancelled leaves only blocks that no listing shows", async () => {
    const location = await rig.open("cancel-first", { config: smallParts });
    const cancelling = new AbortController();
    const body = endless(bytesOf(2 * smallPartBytes + 1, "cancel"), cancelling.signal);
    const putting = location.store.putObject(location.at("contents"), body, { signal: cancelling.signal });
    putting.catch(() => {});
    await rig.untilBlockArrived("cancel-first");

    cancelling.abort();
    await assert.rejects(putting);

    assert.deepEqual(await location.list(), []);
    assert.equal(await location.exists("contents"), false);
    assert.deepEqual(await rig.blobNames("cancel-first"), ["contents"]);
  });

  test("a get that nobody reads on does not hold up the others", async () => {
    const location = await rig.open("abandoned", { config: smallParts });
    const body = bytesOf(8 * smallPartBytes, "abandoned");
    await location.put("contents", body);
    const abandoned = location.store.getObject(location.at("contents"));
    await abandoned.next();

    const others = await Promise.all([1, 2, 3].map(() => location.get("contents")));

    assert.ok(others.every((received) => received.equals(body)));
    await abandoned.return();
  });

  test("a get that is left early frees its place for the next ones", async () => {
    const location = await rig.open("left-early", { config: smallParts });
    const body = bytesOf(8 * smallPartBytes, "left early");
    await location.put("contents", body);
    for (let round = 0; round < 10; round += 1) {
      const left = location.store.getObject(location.at("contents"));
      await left.next();
      await left.return();
    }

    assert.ok((await location.get("contents")).equals(body));
  });
});
