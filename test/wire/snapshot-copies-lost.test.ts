import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "./bytes.ts";
import { elsewhere, home, startCopiesRig, there } from "./snapshot-copies-rig.ts";

// Each waits a minute.
describe("a lost region of snapshots", { concurrency: true, timeout: 600_000 }, () => {
  for (const [title, lose] of [
    ["refuses everything", (rig: Awaited<ReturnType<typeof startCopiesRig>>) => void rig.ec2.loseRegion(there)],
    [
      "answers nothing",
      (rig: Awaited<ReturnType<typeof startCopiesRig>>) =>
        void rig.ec2.faults.add(
          { kind: "stall-request", afterBytes: 1 },
          { where: ({ headers }) => headers.get("authorization")?.includes(`/${there}/ec2/`) === true },
          { times: 1_000_000 },
        ),
    ],
  ] as const)
    test(`a backup whose copies are waited for is not held up for hours by a region that ${title}`, async () => {
      const rig = await startCopiesRig({ pendingMs: 1 });
      after(async () => {
        rig.ec2.faults.clear();
        await rig.close();
      });
      const config = { copyToRegions: `${there}, ${elsewhere}`, wait: "completed", waitTimeout: "4h" };
      const snapshotter = await rig.open({ config, session: rig.start() });
      lose(rig);

      const startedMs = performance.now();
      const first = await failureOf(rig.snapshot(snapshotter));
      const firstMs = performance.now() - startedMs;
      const next = await failureOf(rig.snapshot(snapshotter));
      const nextMs = performance.now() - startedMs - firstMs;

      assert.equal(first.kind, "incomplete");
      assert.match(
        first.message,
        /to eu-west-1: it does not answer \(.*\); the snapshot was good and is deleted again/,
      );
      assert.match(next.message, /to eu-west-1: it does not answer/);
      // A minute and none; the rest is what a busy machine may add.
      assert.ok(firstMs < 200_000 && nextMs < 30_000, `took ${firstMs} ms, then ${nextMs} ms`);
      // Neither a snapshot that no backup knows of nor a copy of one.
      const asked = rig.ec2.log.entries("CreateSnapshot").length;
      const deleted = rig.ec2.log.entries("DeleteSnapshot").filter(({ status }) => status === 200).length;
      assert.deepEqual([asked, deleted, (await rig.copiesIn(elsewhere)).length], [1, 2, 0], home);
    });
});
