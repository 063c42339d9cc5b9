import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { bytesOf, collect, failureOf, inChunks, mebibyte } from "../wire/bytes.ts";
import { toldAt } from "../wire/told-lines.ts";
import { until } from "../wire/until.ts";
import { otherRegion, ownRegion, startCopiesRig } from "./copies-rig.ts";
import type { CopiesRig } from "./copies-rig.ts";
import { smallPartBytes, smallParts } from "./gcs-rig.ts";

const small = bytesOf(100_000, "small");
const large = bytesOf(3 * smallPartBytes + 12_345, "large");
const rewrites = { operation: "RewriteObject" } as const;

// One rig for each test: a region is lost for everybody.
describe("a region that is lost", { concurrency: true, timeout: 600_000 }, () => {
  for (const outage of ["refuses", "closes", "hangs"] as const) {
    test(`everything is read from the copies while the location's own region ${outage}`, async () => {
      await using rig = await openRig();
      const copied = await rig.openCopied("lost", { config: smallParts });
      await copied.location.put("backups/a/small", small);
      await copied.location.put("backups/a/large", large);

      rig.gcs.loseRegion(ownRegion, outage);

      // A restore on a cluster that has just been made: nothing of before is known in the process.
      const session = rig.start();
      const store = session.manager.getObjectStore("velero.io/gcp");
      await store.init((await rig.configsOf("lost", { config: smallParts })).own);
      const bucket = "lost";
      assert.deepEqual(await store.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }), ["backups/"]);
      const startedMs = Date.now();
      assert.equal(await store.objectExists({ bucket, key: "backups/a/small" }), true);
      assert.ok((await collect(store.getObject({ bucket, key: "backups/a/small" }))).equals(small));
      assert.ok((await collect(store.getObject({ bucket, key: "backups/a/large" }))).equals(large));
      // Once it is known that the region does not answer, no call waits for it again.
      assert.ok(Date.now() - startedMs < 60_000, `took ${Date.now() - startedMs} ms`);
      const listed = await failureOf(store.listCommonPrefixes({ bucket, prefix: "backups/", delimiter: "/" }));
      assert.match(listed.message, /a copy is not asked for a list/);
      const url = await store.createSignedUrl({ bucket, key: "backups/a/small" }, 60);
      assert.match(url, /\/lost-copy\/backups\/a\/small\?/);
      const warnings = await toldAt(session, "warn");
      assert.ok(warnings.every((line) => JSON.stringify(line).includes("lost-copy")));
    });
  }

  test("nothing is put while the location's own region is lost, and nothing is left in the copy alone", async () => {
    await using rig = await openRig();
    const copied = await rig.openCopied("unwritten");
    rig.gcs.loseRegion(ownRegion, "closes");

    const error = await failureOf(copied.location.put("contents", small));

    assert.equal(error.kind, "unavailable");
    assert.deepEqual(await copied.copies.file("contents").exists(), [false]);
  });

  test("a put fails while the copy's region is lost, and the same put succeeds when it is back", async () => {
    await using rig = await openRig();
    const copied = await rig.openCopied("copy-lost");
    rig.gcs.loseRegion(otherRegion);

    const error = await failureOf(copied.location.put("contents", small));
    rig.gcs.restoreRegion(otherRegion);
    await copied.location.put("contents", small);

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /stored, but not copied to gs:\/\/copy-lost-copy/);
    assert.ok((await copied.copies.file("contents").download())[0].equals(small));
  });

  for (const rounds of [0, 1, 4] as const) {
    test(`a plugin that is killed after ${rounds} rounds of a copy leaves the object and nothing half, and the next put makes the copy`, async () => {
      await using rig = await openRig();
      const copied = await rig.openCopied("killed", { config: smallParts });
      const session = rig.start();
      const store = session.manager.getObjectStore("velero.io/gcp");
      await store.init((await rig.configsOf("killed", { config: smallParts })).own);
      rig.gcs.faults.add({ kind: "stall-request", afterBytes: 1 }, { bucket: "killed", ...rewrites }, { skip: rounds });
      const object = copied.location.at("contents");

      const put = failureOf(store.putObject(object, inChunks(large)));
      await until("the round is asked for", () => rig.requestsOf("killed", "RewriteObject").length > rounds);
      const [pid = 0] = session.manager.pids;
      process.kill(pid, "SIGKILL");
      assert.match((await put).message, /killed by SIGKILL/);
      assert.ok((await copied.location.get("contents")).equals(large));
      assert.deepEqual(await copied.copies.file("contents").exists(), [false]);
      await store.putObject(object, inChunks(large));

      assert.ok((await copied.copies.file("contents").download())[0].equals(large));
    });
  }
});

async function openRig(): Promise<CopiesRig & AsyncDisposable> {
  const rig = await startCopiesRig({ rewriteBytes: 4 * mebibyte });
  return {
    ...rig,
    [Symbol.asyncDispose]: async () => {
      rig.gcs.faults.clear();
      await rig.close();
    },
  };
}
