import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isKind, PluginError } from "../plugin/index.ts";
import { bench, copyKey, damage, isIdle, large, outage, put, ref, small, warnings } from "../testing/copies-bench.ts";
import { chunksOf, collect, sampleBytes, settle } from "../testing/index.ts";
import { patienceMs, unreachableMs } from "./reach.ts";
import type { Bench } from "../testing/copies-bench.ts";

const metadata = { bucket: "b", key: "velero/backups/a/velero-backup.json" };

describe("a get", () => {
  for (const [name, bytes] of [
    ["small", small],
    ["large", large],
  ] as const) {
    test(`of a ${name} object is the location's own, without a question to the copy`, async () => {
      const rig = bench();
      await put(rig, bytes);
      rig.asked.copy.counts.clear();

      assert.ok((await collect(rig.store.getObject(ref, rig.call))).equals(bytes));

      assert.equal(rig.asked.copy.counts.size, 0);
      assert.ok(isIdle(rig.primary));
    });

    for (const [what, spoil] of [
      ["is damaged", (rig: Bench) => damage(rig.primary, ref.key, bytes.length - 1)],
      ["was deleted", (rig: Bench) => void rig.primary.objects.delete(ref.key)],
      ["is out of reach", (rig: Bench) => rig.lose("primary")],
    ] as const)
      test(`of a ${name} object that ${what} comes whole from the copy, with one warning that names it`, async () => {
        const rig = bench();
        await put(rig, bytes);
        spoil(rig);

        const first = await collect(rig.store.getObject(ref, rig.call));
        const second = await collect(rig.store.getObject(ref, rig.call));

        assert.ok(first.equals(bytes) && second.equals(bytes));
        assert.deepEqual(
          warnings(rig).map(({ message }) => message),
          ["reading an object from its copy: s3://c/there"],
        );
        assert.ok(isIdle(rig.primary) && isIdle(rig.copy));
      });
  }

  test("yields not one byte of an object that neither place has whole, and tells what both said", async () => {
    const rig = bench();
    await put(rig, large);
    damage(rig.primary, ref.key, 49_000);
    damage(rig.copy, copyKey, 49_000);
    let chunks = 0;

    await assert.rejects(
      async () => {
        for await (const _chunk of rig.store.getObject(ref, rig.call)) chunks += 1;
      },
      (error) => {
        assert.ok(isKind(error, "corrupt"));
        assert.match(error.message, /"velero\/backups.*damaged in the store.*s3:\/\/c\/there: .*"there\/backups/);
        return true;
      },
    );

    assert.equal(chunks, 0);
    assert.ok(isIdle(rig.primary) && isIdle(rig.copy));
  });

  test("does not serve a copy of other bytes for an object that is damaged", async () => {
    const rig = bench();
    await put(rig, small);
    rig.copy.store(copyKey, sampleBytes(small.length, 9), undefined);
    damage(rig.primary, ref.key, 3);

    await assert.rejects(collect(rig.store.getObject(ref, rig.call)), (error) => isKind(error, "corrupt"));
  });

  test("of an object that neither place has is absent", async () => {
    const rig = bench();

    await assert.rejects(collect(rig.store.getObject(ref, rig.call)), (error) => isKind(error, "not-found"));
  });

  test("does not call an object absent while a copy cannot be asked for it", async () => {
    const rig = bench();
    rig.lose("copy");

    await assert.rejects(collect(rig.store.getObject(ref, rig.call)), (error) => isKind(error, "unavailable"));
  });

  test("asks a location that did not answer last, and first again after a while", async () => {
    const rig = bench();
    await put(rig, small);
    rig.lose("primary");
    await collect(rig.store.getObject(ref, rig.call));
    const before = rig.asked.primary.counts.get("read");

    await collect(rig.store.getObject(ref, rig.call));
    assert.equal(rig.asked.primary.counts.get("read"), before);

    await rig.clock.advance(unreachableMs);
    await collect(rig.store.getObject(ref, rig.call));
    assert.notEqual(rig.asked.primary.counts.get("read"), before);
  });

  test("waits only so long for a location that never answers", async () => {
    const rig = bench({ primary: [{ on: "read", action: { does: "hang", heedsSignal: false } }] });
    await put(rig, small);

    const read = collect(rig.store.getObject(ref, rig.call));
    await settle();
    await rig.clock.advance(patienceMs);

    assert.ok((await read).equals(small));
    assert.match(String(warnings(rig)[0]?.fields?.["reason"]), /no answer within 5 s/);
  });

  test("waits only so long for a body that stops on its way", async () => {
    const rig = bench({ primary: [{ on: "read", action: { does: "stall", afterBytes: 2000 } }] });
    await put(rig, small);

    const read = collect(rig.store.getObject(ref, rig.call));
    await settle();
    await rig.clock.advance(patienceMs);

    assert.ok((await read).equals(small));
  });

  test("outlasts a storm of throttling without the copy", async () => {
    const rig = bench({ primary: [{ on: "read", nth: [1, 2], action: outage }] });
    await put(rig, small);

    await collect(rig.store.getObject(ref, rig.call));

    assert.deepEqual(warnings(rig), []);
  });

  test("of many objects at once stays within the memory and gives everything back", async () => {
    const rig = bench();
    await put(rig, large);
    await rig.store.putObject({ bucket: "b", key: "velero/s" }, chunksOf(small, 777), rig.call);

    const reads = Array.from({ length: 40 }, async (_, index) => {
      const key = index % 2 === 0 ? ref.key : "velero/s";
      return await collect(rig.store.getObject({ bucket: "b", key }, rig.call));
    });
    const all = await Promise.all(reads);

    assert.ok(all.every((bytes, index) => bytes.equals(index % 2 === 0 ? large : small)));
    assert.ok(isIdle(rig.primary));
  });
});

describe("questions", () => {
  test("go to the location while it answers, even where the copy knows more", async () => {
    const rig = bench();
    await put(rig, small);
    rig.copy.store("there/backups/b/b.json", small, undefined);
    rig.asked.copy.counts.clear();

    const keys = await rig.store.listObjects({ bucket: "b", prefix: "velero/" }, rig.call);

    assert.deepEqual(keys, [ref.key]);
    assert.equal(await rig.store.objectExists(ref, rig.call), true);
    assert.equal((await rig.store.describeObject(ref, rig.call)).sizeBytes, 5000n);
    assert.equal(rig.asked.copy.counts.size, 0);
  });

  test("that the location never answers are answered by the copy after a while", async () => {
    const rig = bench({ primary: [{ on: "stat", nth: [2], action: { does: "hang", heedsSignal: false } }] });
    await put(rig, small);

    const exists = rig.store.objectExists(ref, rig.call);
    await settle();
    await rig.clock.advance(patienceMs);

    assert.equal(await exists, true);
  });

  test("go to the copy when the location is out of reach, and are answered in the location's own keys", async () => {
    const rig = bench();
    await put(rig, small);
    rig.lose("primary");

    const top = { bucket: "b", prefix: "velero/", delimiter: "/" };
    assert.deepEqual(await rig.store.listCommonPrefixes(top, rig.call), ["velero/backups/"]);
    assert.equal(await rig.store.objectExists(ref, rig.call), true);
    assert.equal((await rig.store.describeObject(ref, rig.call)).sizeBytes, 5000n);
    assert.match(await rig.store.createSignedUrl(ref, 600, rig.call), /there%2Fbackups/);
    assert.ok(warnings(rig).every(({ message }) => message.endsWith("s3://c/there")));
  });

  test("about an object that only the copy has are answered with yes, and a warning", async () => {
    const rig = bench();
    await put(rig, small);
    rig.primary.objects.clear();

    assert.equal(await rig.store.objectExists(ref, rig.call), true);
    assert.match(warnings(rig)[0]?.message ?? "", /only a copy .* s3:\/\/c\/there/);
  });

  test("about an object that a required copy of its backup lacks are answered with no during an outage", async () => {
    const rig = bench();
    await rig.store.putObject(metadata, chunksOf(small, 777), rig.call);
    rig.lose("primary");

    const other = { bucket: "b", key: "velero/backups/a/a-csi-volumesnapshots.json.gz" };
    assert.equal(await rig.store.objectExists(other, rig.call), false);
    const ofRestore = { bucket: "b", key: "velero/restores/r/restore-r-resource-list.json.gz" };
    assert.equal(await rig.store.objectExists(ofRestore, rig.call), false);
  });

  test("about an object of a backup that is older than its copies are not answered during an outage", async () => {
    const rig = bench();
    rig.primary.store(ref.key, small, undefined);
    rig.lose("primary");

    await assert.rejects(rig.store.objectExists(ref, rig.call), (error) => isKind(error, "unavailable"));
  });

  test("about an object of a backup that was copied in part are not answered during an outage", async () => {
    const rig = bench();
    await put(rig, small);
    rig.lose("primary");

    const snapshots = { bucket: "b", key: "velero/backups/a/a-volumesnapshots.json.gz" };
    await assert.rejects(rig.store.objectExists(snapshots, rig.call), (error) => isKind(error, "unavailable"));
  });

  test("about a backup that is older than its copies are answered by the location, also after throttling", async () => {
    const older = bench({ primary: [{ on: "stat", nth: [1, 2], action: outage }] });
    older.primary.store(ref.key, small, undefined);
    assert.equal(await older.store.objectExists(ref, older.call), true);
    assert.deepEqual(warnings(older), []);

    const listed = bench({ primary: [{ on: "list", nth: [1, 2, 3], action: outage }] });
    listed.primary.store(ref.key, small, undefined);
    assert.deepEqual(await listed.store.listObjects({ bucket: "b", prefix: "velero/" }, listed.call), [ref.key]);

    const flapping = bench({ primary: [{ on: "stat", nth: [1, 2, 3], action: outage }] });
    flapping.primary.store(ref.key, small, undefined);
    await assert.rejects(flapping.store.objectExists(ref, flapping.call), (error) => isKind(error, "unavailable"));
    assert.equal(await flapping.store.objectExists(ref, flapping.call), true);
  });

  test("that stay without an answer once are not asked of the location again and again", async () => {
    const hung = bench({ primary: [{ on: "list", action: { does: "hang", heedsSignal: false } }] });
    await put(hung, small);

    const top = { bucket: "b", prefix: "velero/", delimiter: "/" };
    const names = hung.store.listCommonPrefixes(top, hung.call);
    await settle();
    await hung.clock.advance(patienceMs);

    assert.deepEqual(await names, ["velero/backups/"]);
    assert.equal(hung.asked.primary.counts.get("list"), 1);
  });

  for (const mode of ["required", "best-effort"] as const)
    test(`for lists are not answered by a ${mode} copy, which may lack backups, but for the names at the top`, async () => {
      const rig = bench({ mode });
      await put(rig, small);
      // From before the copies.
      rig.primary.store("velero/backups/older/velero-backup.json", small, undefined);
      rig.lose("primary");

      const top = { bucket: "b", prefix: "velero/", delimiter: "/" };
      assert.deepEqual(await rig.store.listCommonPrefixes(top, rig.call), ["velero/backups/"]);
      const backups = { ...top, prefix: "velero/backups/" };
      for (const list of [
        rig.store.listCommonPrefixes(backups, rig.call),
        rig.store.listObjects({ bucket: "b", prefix: "velero/" }, rig.call),
        rig.store.listObjects({ bucket: "b", prefix: "velero/backups/a/" }, rig.call),
      ])
        await assert.rejects(list, (error) => {
          assert.ok(isKind(error, "unavailable"));
          assert.match(error.message, /failed; a copy is not asked for a list.*s3:\/\/c\/there, open it as a location/);
          return true;
        });
    });

  test("about an object that a best-effort copy lacks are not answered while the location is out of reach", async () => {
    const rig = bench({ mode: "best-effort" });
    rig.lose("primary");

    await assert.rejects(rig.store.objectExists(ref, rig.call), (error) => isKind(error, "unavailable"));
  });

  test("for a signed URL lead to the place that has the object", async () => {
    const rig = bench();
    await put(rig, small);
    assert.match(await rig.store.createSignedUrl(ref, 600, rig.call), /velero%2Fbackups/);

    rig.primary.objects.delete(ref.key);
    assert.match(await rig.store.createSignedUrl(ref, 600, rig.call), /there%2Fbackups/);

    const lost = bench();
    await put(lost, small);
    lost.lose("primary");
    assert.match(await lost.store.createSignedUrl(ref, 600, lost.call), /there%2Fbackups/);
  });

  test("that nobody answers do not stand in the way of a signed URL", async () => {
    const denied = new PluginError("access denied", { kind: "denied" });
    const rig = bench({ primary: [{ on: "stat", action: { does: "fail", error: denied } }] });

    assert.match(await rig.store.createSignedUrl(ref, 600, rig.call), /velero%2Fbackups/);
  });

  test("about an object that nobody has are answered with no", async () => {
    assert.equal(await bench().store.objectExists(ref, bench().call), false);
  });

  test("that the location refuses are not asked of the copy", async () => {
    const denied = new PluginError("access denied", { kind: "denied" });
    const rig = bench({ primary: [{ on: "list", action: { does: "fail", error: denied } }] });

    await assert.rejects(rig.store.listObjects({ bucket: "b", prefix: "velero/" }, rig.call), (error) =>
      isKind(error, "denied"),
    );

    assert.equal(rig.asked.copy.counts.size, 0);
  });

  test("that nobody answers fail with what both said", async () => {
    const rig = bench();
    rig.lose("primary");
    rig.lose("copy");

    await assert.rejects(rig.store.objectExists(ref, rig.call), (error) => {
      assert.ok(isKind(error, "unavailable"));
      assert.match(error.message, /failed; s3:\/\/c\/there: the service failed/);
      return true;
    });
  });
});
