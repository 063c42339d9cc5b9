import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { bytesOf, collect, failureOf, inChunks } from "../wire/bytes.ts";
import { toldAt } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { smallPartBytes, smallParts } from "./blob-rig.ts";
import { otherRegion, ownRegion, startCopiesRig } from "./copies-rig.ts";

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");

// One rig for each test: a region is lost for everybody.
describe("a region that is lost", { concurrency: true, timeout: 600_000 }, () => {
  for (const outage of ["refuses", "closes", "hangs"] as const) {
    test(`everything is read from the copies while the location's own region ${outage}`, async () => {
      await using rig = await openRig();
      const copied = await rig.openCopied("lost", { config: smallParts });
      await copied.location.put("backups/a/small", small);
      await copied.location.put("backups/a/large", large);

      rig.blob.loseRegion(ownRegion, outage);

      // A restore on a cluster that has just been made: nothing of before is known in the process.
      const session = rig.start();
      const { own } = await rig.configsOf("lost", { config: smallParts });
      const store = session.manager.getObjectStore("velero.io/azure");
      await store.init(own);
      const bucket = "lost";
      assert.deepEqual(await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }), ["backups/"]);
      const startedMs = Date.now();
      assert.equal(await store.objectExists({ bucket, key: "backups/a/small" }), true);
      assert.ok((await collect(store.getObject({ bucket, key: "backups/a/small" }))).equals(small));
      assert.ok((await collect(store.getObject({ bucket, key: "backups/a/large" }))).equals(large));
      // Once it is known that the region does not answer, no call waits for it again.
      assert.ok(Date.now() - startedMs < 45_000, `took ${Date.now() - startedMs} ms`);
      const listed = await failureOf(store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" }));
      assert.match(listed.message, /a copy is not asked for a list/);
      const url = await store.createSignedUrl({ bucket, key: "backups/a/small" }, 60);
      assert.match(url, /flotillacopies\/lost-copy\/backups\/a\/small\?/);
      const warnings = await toldAt(session, "warn");
      assert.ok(warnings.every((line) => JSON.stringify(line).includes("lost-copy")));
    });
  }

  test("nothing is put while the location's own region is lost, and nothing is left in the copy alone", async () => {
    await using rig = await openRig();
    const copied = await rig.openCopied("unwritten");
    rig.blob.loseRegion(ownRegion, "closes");

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "unavailable");
    assert.equal(await copied.copies.getBlobClient("contents").exists(), false);
  });

  test("a put fails while the copy's region is lost, and the same put succeeds when it is back", async () => {
    await using rig = await openRig();
    const copied = await rig.openCopied("copy-lost");
    rig.blob.loseRegion(otherRegion);

    const error = await failureOf(copied.location.put("contents", small));
    rig.blob.restoreRegion(otherRegion);
    await copied.location.put("contents", small);

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /stored, but not copied to azblob:\/\/copy-lost-copy/);
    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(small));
  });

  test("a plugin that is killed in the middle of a copy leaves the object, and the next put makes the copy", async () => {
    await using rig = await openRig();
    const copied = await rig.openCopied("killed");
    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/azure");
    await store.init((await rig.configsOf("killed")).own);
    const match = { bucket: copied.copyBucket, operation: "PutBlobFromUrl" };
    rig.blob.faults.add({ kind: "delay", ms: 3000 }, match);
    const object = copied.location.at("contents");

    const put = failureOf(store.putObject(object, inChunks(small)));
    await until("the copy is asked for", () => rig.requestsOf(copied.copyBucket, "PutBlobFromUrl").length > 0);
    const [pid = 0] = session.manager.pids;
    process.kill(pid, "SIGKILL");
    assert.match((await put).message, /killed by SIGKILL/);
    assert.ok((await copied.location.get("contents")).equals(small));
    // The store has taken the request and goes on by itself: what it makes then is whole.
    await delay(3500);
    await store.putObject(object, inChunks(large));

    assert.ok((await copied.copies.getBlobClient("contents").downloadToBuffer()).equals(large));
  });
});

async function openRig(): Promise<Awaited<ReturnType<typeof startCopiesRig>> & AsyncDisposable> {
  const rig = await startCopiesRig();
  return {
    ...rig,
    [Symbol.asyncDispose]: async () => {
      rig.blob.faults.clear();
      await rig.close();
    },
  };
}
