import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { collectAll, failureOf } from "./bytes.ts";
import { elsewhere, home, startCopiesRig, there } from "./snapshot-copies-rig.ts";
import { toldLines } from "./told-lines.ts";
import { until } from "./until.ts";
import { tagsOf } from "./volume-rig.ts";

const rig = await startCopiesRig({ pendingMs: 1 });
after(() => rig.close());

describe("a location whose keys for copies are wrong is not opened", { concurrency: true }, () => {
  for (const [title, config, said] of [
    ["its own region", { copyToRegions: `${there}, ${home}` }, /copyToRegions holds us-east-1.*own region/],
    [
      "an option of another cloud",
      { copyToRegions: `${there}?project=p` },
      /unknown option project.*kmsKeyId, endpoint/,
    ],
    ["minutes that are no multiple of 15", { copyCompletionMinutes: "20" }, /copyCompletionMinutes: not a multiple/],
    ["more minutes than EBS takes", { copyCompletionMinutes: "2895" }, /copyCompletionMinutes: out of range/],
    ["a zone map without zones", { zoneMap: "a" }, /zoneMap: not of the form/],
  ] as const) {
    test(title, async () => {
      const error = await failureOf(rig.open({ config, session: rig.start() }));

      assert.equal(error.kind, "invalid-config");
      assert.match(error.message, said);
    });
  }
});

describe("copies, one by one", () => {
  test("an unknown snapshot cannot be copied", async () => {
    const { copies } = await rig.open({ config: { copyToRegions: there } });
    const originId = "snap-0123456789abcdef0";

    assert.equal((await failureOf(copies.startCopy({ originId, region: there }))).kind, "not-found");
  });

  test("a region that is no target is refused with the key to set", async () => {
    const snapshotter = await rig.open({ config: { copyToRegions: there } });
    const originId = await rig.snapshot(snapshotter);

    const error = await failureOf(snapshotter.copies.startCopy({ originId, region: elsewhere }));

    assert.match(error.message, /us-west-2 is not in the location's key copyToRegions/);
  });

  test("an endpoint of the target's own is where its copies are looked for", async () => {
    const config = { copyToRegions: `${there}?endpoint=http://127.0.0.1:1` };
    const snapshotter = await rig.open({ config, session: rig.start({ AWS_MAX_ATTEMPTS: "1" }) });

    const error = await failureOf(collectAll(snapshotter.copies.listCopies({ region: there })));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /list the snapshots in region eu-west-1/);
  });

  test("a snapshot that is not complete yet is a conflict: it may be copied later", async () => {
    const slow = await startCopiesRig({ pendingMs: 3_600_000 });
    after(() => slow.close());
    const snapshotter = await slow.open({ config: { copyToRegions: there } });
    const originId = await slow.snapshot(snapshotter);

    const [origin] = await collectAll(snapshotter.copies.listOrigins({ snapshotIds: [originId] }));
    const error = await failureOf(snapshotter.copies.startCopy({ originId, region: there }));

    assert.deepEqual([origin?.readiness, error.kind], ["unfinished", "conflict"]);
  });

  test("a copy bears its origin, the backup's tags, the target's key and what was asked of its time", async () => {
    const key = `arn:aws:kms:${there}:111122223333:key/11111111-2222-3333-4444-555555555555`;
    const config = { copyToRegions: `${there}?kmsKeyId=${key}`, copyCompletionMinutes: "45" };
    const snapshotter = await rig.open({ config });
    const originId = await rig.snapshot(snapshotter, "tagged", { tags: { team: "shop", "aws:cloudformation:x": "y" } });

    const copyId = await snapshotter.copies.startCopy({ originId, region: there });

    const [copy] = await rig.copiesIn(there, originId);
    const { "flotilla.io/request": request, "velero.io/pv": pv, ...tags } = tagsOf(copy ?? {});
    assert.deepEqual(tags, {
      "flotilla.io/copy-of": originId,
      "flotilla.io/copy-from": home,
      "flotilla.io/throughput": "125",
      "velero.io/backup": "tagged",
      team: "shop",
    });
    assert.ok(request !== undefined && pv !== undefined);
    assert.deepEqual([copy?.SnapshotId, copy?.Encrypted, copy?.KmsKeyId], [copyId, true, key]);
    const [asked] = rig.ec2.log
      .entries("CopySnapshot")
      .filter(({ query }) => query.get("SourceSnapshotId") === originId);
    assert.equal(asked?.query.get("CompletionDurationMinutes"), "45");
  });

  test("a copy of an encrypted snapshot is encrypted, without a key named", async () => {
    const snapshotter = await rig.open({ config: { copyToRegions: there } });
    const originId = await rig.snapshot(snapshotter, "encrypted", { isEncrypted: true });

    await snapshotter.copies.startCopy({ originId, region: there });

    assert.equal((await rig.copiesIn(there, originId))[0]?.Encrypted, true);
  });

  for (const fault of ["lose-response", "cut-request"] as const) {
    test(`an answer that does not arrive (${fault}) makes neither two copies nor none`, async () => {
      const snapshotter = await rig.open({
        config: { copyToRegions: there },
        session: rig.start({ AWS_MAX_ATTEMPTS: "1" }),
      });
      const originId = await rig.snapshot(snapshotter);
      const isThis = ({ query }: { query: ReadonlyMap<string, string> }) => query.get("SourceSnapshotId") === originId;
      rig.ec2.faults.add({ kind: fault, afterBytes: 0 }, { operation: "CopySnapshot", where: isThis });

      const copyId = await snapshotter.copies.startCopy({ originId, region: there });

      assert.deepEqual(
        (await rig.copiesIn(there, originId)).map(({ SnapshotId }) => SnapshotId),
        [copyId],
      );
    });
  }

  test("only what backups made counts as a snapshot to copy, and no copy of the other direction", async () => {
    const session = rig.start();
    const snapshotter = await rig.open({ config: { copyToRegions: there }, session });
    const originId = await rig.snapshot(snapshotter, "only-mine");
    await snapshotter.createSnapshot({ volumeId: rig.addVolume(), volumeAz: "", tags: { by: "hand" } });
    await snapshotter.copies.startCopy({ originId, region: there });
    const reverse = await rig.open({ config: { region: there, copyToRegions: home }, session: rig.start() });

    const here = await collectAll(snapshotter.copies.listOrigins({}));
    const others = await collectAll(reverse.copies.listOrigins({ backup: "only-mine" }));

    assert.ok(here.some(({ snapshotId }) => snapshotId === originId));
    assert.ok(here.every(({ backup }) => backup !== ""));
    assert.deepEqual(others, []);
  });

  test("of snapshots that are asked for by id, those that do not exist are left out", async () => {
    const snapshotter = await rig.open({ config: { copyToRegions: there } });
    const originId = await rig.snapshot(snapshotter);
    const snapshotIds = ["snap-0123456789abcdef0", originId];

    const found = await collectAll(snapshotter.copies.listOrigins({ snapshotIds }));

    assert.deepEqual(
      found.map(({ snapshotId }) => snapshotId),
      [originId],
    );
  });
});

describe("a backup that waits for its copies", { concurrency: true }, () => {
  const config = { copyToRegions: `${there} ${elsewhere}`, wait: "completed", waitTimeout: "60s" };

  test("has complete copies in every target once the snapshot is answered", async () => {
    const snapshotter = await rig.open({ config, session: rig.start() });

    const originId = await rig.snapshot(snapshotter);

    for (const region of [there, elsewhere])
      assert.deepEqual(
        (await rig.copiesIn(region, originId)).map(({ State }) => State),
        ["completed"],
      );
  });

  test("fails when a copy fails again and again, with the cloud's words, and leaves nothing", async () => {
    const denied = `arn:aws:kms:${there}:111122223333:key/denied`;
    const strict = await startCopiesRig({ pendingMs: 1, kms: { denied: [denied] } });
    after(() => strict.close());
    const snapshotter = await strict.open({
      config: { ...config, copyToRegions: `${elsewhere} ${there}?kmsKeyId=${denied}` },
    });
    const volumeId = strict.addVolume();
    const request = { volumeId, volumeAz: "", tags: { "velero.io/backup": "b" } };

    const error = await failureOf(snapshotter.createSnapshot(request));

    assert.match(error.message, /to region eu-west-1: the copy snap-\w+ failed: Given key ID is not accessible/);
    const left = [strict.snapshotsOf(volumeId), strict.copiesIn(there), strict.copiesIn(elsewhere)];
    assert.deepEqual((await Promise.all(left)).flat(), []);
  });

  test("makes a failed copy anew", async () => {
    const snapshotter = await rig.open({ config: { ...config, copyToRegions: there }, session: rig.start() });
    const volumeId = rig.addVolume();
    const creating = snapshotter.createSnapshot({ volumeId, volumeAz: "", tags: { "velero.io/backup": "b" } });
    await until("the snapshot was requested", async () => (await rig.snapshotsOf(volumeId)).length > 0);
    const [made] = await rig.snapshotsOf(volumeId);
    rig.ec2.failNextSnapshot(made?.SnapshotId ?? "", "an internal error");

    const originId = await creating;

    assert.deepEqual(
      (await rig.copiesIn(there, originId)).map(({ State }) => State),
      ["completed"],
    );
  });
});

test("without wait the id is answered at once, and one line of the log says what makes the copies", async () => {
  const session = rig.start();
  const snapshotter = await rig.open({ config: { copyToRegions: there }, session });

  const originId = await rig.snapshot(snapshotter);
  await rig.snapshot(snapshotter);

  assert.deepEqual(await rig.copiesIn(there, originId), []);
  assert.equal((await toldLines(session, /flotilla volume copy --all --watch/)).length, 1);
  assert.deepEqual(
    session.lines.filter(({ level }) => level === "warn" || level === "error"),
    [],
  );
});

describe("deleting a snapshot", () => {
  test("deletes its copies, whoever made them, pending ones too", async () => {
    const slow = await startCopiesRig({ pendingMs: 1, copyMs: 3_600_000 });
    after(() => slow.close());
    const snapshotter = await slow.open({ config: { copyToRegions: `${there} ${elsewhere}` } });
    const originId = await slow.snapshot(snapshotter);
    for (const region of [there, there, elsewhere]) await snapshotter.copies.startCopy({ originId, region });

    await snapshotter.deleteSnapshot(originId);

    assert.deepEqual([await slow.copiesIn(there), await slow.copiesIn(elsewhere)], [[], []]);
    assert.deepEqual(await collectAll(snapshotter.copies.listOrigins({ snapshotIds: [originId] })), []);
  });

  test("fails while a target is lost, and nothing is deleted, so that nothing leaks", async () => {
    const session = rig.start({ AWS_MAX_ATTEMPTS: "1" });
    const snapshotter = await rig.open({ config: { copyToRegions: `${there} ${elsewhere}` }, session });
    const originId = await rig.snapshot(snapshotter);
    await snapshotter.copies.startCopy({ originId, region: there });
    const lost = rig.ec2.loseRegion(elsewhere);

    const error = await failureOf(snapshotter.deleteSnapshot(originId));
    lost.remove();

    assert.equal(error.kind, "unavailable");
    assert.equal((await rig.copiesIn(there, originId)).length, 1);
    assert.equal((await collectAll(snapshotter.copies.listOrigins({ snapshotIds: [originId] }))).length, 1);
  });
});

test("a check tries the permissions in each target and says what makes the copies", async () => {
  const account = { accessKeyId: "AKIANOCOPY", secretAccessKey: "nocopy", deny: ["ec2:CopySnapshot"] };
  rig.accounts.add(account);
  const snapshotter = await rig.open({ config: { copyToRegions: there }, account, session: rig.start() });

  const findings = await collectAll(snapshotter.check());

  const about = (subject: string) => findings.find((finding) => finding.subject === subject)?.severity;
  assert.equal(about(`ec2:CopySnapshot in ${there}`), "failure");
  assert.equal(about(`ec2:DeleteSnapshot in ${there}`), "ok");
  assert.equal(about(`ec2:DescribeSnapshots in ${there}`), "ok");
  assert.equal(about("copyToRegions"), "advice");
});
