import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isKind, PluginError } from "../plugin/index.ts";
import { bench, copyKey, outage, put, ref, small, warnings } from "../testing/copies-bench.ts";
import { chunksOf, collect, sampleBytes, settle } from "../testing/index.ts";
import { patienceMs, quickMs, unreachableMs } from "./reach.ts";
import type { Bench } from "../testing/copies-bench.ts";

const metadata = { bucket: "b", key: "velero/backups/a/velero-backup.json" };
const absent = { bucket: "b", key: "velero/backups/a/a-volumesnapshots.json.gz" };
const newer = sampleBytes(small.length, 7);
const never = { does: "hang", heedsSignal: true } as const;
/** All that a lost region does not answer. */
const silent = (["stat", "read", "put", "list", "copyFrom", "remove"] as const).map((on) => ({ on, action: never }));

/** The location's requests of this name take so long. */
function slow({ asked: { primary }, clock }: Bench, on: "read" | "stat", ms: number): void {
  const late = async (): Promise<void> =>
    await new Promise((resolve) => {
      clock.timer(ms, resolve);
    });
  const { read, stat } = { read: primary.read.bind(primary), stat: primary.stat.bind(primary) };
  if (on === "read") primary.read = async (...words) => await late().then(async () => await read(...words));
  else primary.stat = async (...words) => await late().then(async () => await stat(...words));
}

/** Lets so much time pass until the work ends, and answers how much it was, in seconds. */
async function seconds({ clock }: Bench, work: Promise<unknown>, mostMs: number): Promise<number> {
  const state = { isOver: false };
  const over = (): void => void (state.isOver = true);
  work.then(over, over);
  const startedMs = clock.now();
  await settle();
  while (!state.isOver && clock.now() - startedMs < mostMs) await clock.advance(500);
  assert.ok(state.isOver, `not over after ${mostMs} ms`);
  return (clock.now() - startedMs) / 1000;
}

describe("a location that is silent", () => {
  test("keeps a reader of a required copy waiting for seconds, and the next ones not at all", async () => {
    const rig = bench();
    await put(rig, small);
    slow(rig, "read", 1e9);

    const first = collect(rig.store.getObject(ref, rig.call));
    assert.equal(await seconds(rig, first, 20_000), quickMs / 1000);
    assert.ok((await first).equals(small));
    const next = collect(rig.store.getObject(ref, rig.call));
    assert.equal(await seconds(rig, next, 20_000), 0);

    assert.match(String(warnings(rig)[0]?.fields?.["reason"]), /no answer within 5 s/);
  });

  test("is not left for a best-effort copy, which may be older, before it is known to be out of reach", async () => {
    const rig = bench({ mode: "best-effort" });
    await put(rig, small);
    rig.primary.store(ref.key, newer, undefined);
    slow(rig, "read", 20_000);

    const read = collect(rig.store.getObject(ref, rig.call));
    assert.equal(await seconds(rig, read, 40_000), 20);

    assert.ok((await read).equals(newer));
    assert.deepEqual(warnings(rig), []);
  });

  test("is waited for where the copy has nothing", async () => {
    const rig = bench();
    rig.primary.store(ref.key, small, undefined);
    slow(rig, "read", 20_000);

    const read = collect(rig.store.getObject(ref, rig.call));
    await seconds(rig, read, 40_000);

    assert.ok((await read).equals(small));
    assert.deepEqual(warnings(rig), []);
  });

  test("is heard as soon as it begins to answer, however slowly it goes on", async () => {
    const rig = bench({ copy: [{ on: "read", action: never }] });
    await put(rig, small);
    rig.primary.store(ref.key, newer, undefined);
    slow(rig, "read", quickMs + 2000);

    const read = collect(rig.store.getObject(ref, rig.call));
    await seconds(rig, read, 40_000);

    assert.ok((await read).equals(newer));
    assert.equal(rig.copy.openBodies, 0);
  });

  test("is the only one to say that an object is absent, as long as it may be slow only", async () => {
    const rig = bench();
    await rig.store.putObject(metadata, chunksOf(small, 777), rig.call);
    rig.primary.store(absent.key, small, undefined);
    slow(rig, "stat", 20_000);

    const exists = rig.store.objectExists(absent, rig.call);
    await seconds(rig, exists, 40_000);

    assert.equal(await exists, true);
  });

  test("counts as out of reach after half a minute, over several questions", async () => {
    const rig = bench();
    await rig.store.putObject(metadata, chunksOf(small, 777), rig.call);
    slow(rig, "stat", 1e9);

    assert.equal(await seconds(rig, rig.store.objectExists(metadata, rig.call), 40_000), quickMs / 1000);
    const exists = rig.store.objectExists(absent, rig.call);
    assert.equal(await seconds(rig, exists, 40_000), (patienceMs - quickMs) / 1000);
    assert.equal(await exists, false);
    assert.equal(await seconds(rig, rig.store.objectExists(absent, rig.call), 40_000), 0);

    // Asked again after a while, it is not waited for as long as before.
    await rig.clock.advance(unreachableMs);
    assert.equal(await seconds(rig, rig.store.objectExists(metadata, rig.call), 40_000), 0);
    assert.equal(await seconds(rig, rig.store.objectExists(absent, rig.call), 40_000), quickMs / 1000);
  });

  test("gets all its time again where the copy is out of reach too", async () => {
    const rig = bench({ copy: [{ on: "stat", action: outage }] });
    await rig.store.putObject(metadata, chunksOf(small, 777), rig.call).catch(() => undefined);
    slow(rig, "stat", 1e9);
    await seconds(
      rig,
      rig.store.objectExists(metadata, rig.call).catch(() => undefined),
      60_000,
    );
    rig.primary.store(ref.key, small, undefined);
    slow(rig, "read", 20_000);

    const read = collect(rig.store.getObject(ref, rig.call));
    await seconds(rig, read, 60_000);

    assert.ok((await read).equals(small));
  });

  test("does not keep the server waiting for whether the location can be used", async () => {
    const rig = bench({ mode: "best-effort", primary: [{ on: "list", action: never }] });
    await put(rig, small);

    const top = { bucket: "b", prefix: "velero/", delimiter: "/" };
    const names = rig.store.listCommonPrefixes(top, rig.call);
    assert.equal(await seconds(rig, names, 40_000), quickMs / 1000);

    assert.deepEqual(await names, ["velero/backups/"]);
  });

  test("fails a put within a bound, the next ones at once, and the copy gets nothing", async () => {
    const rig = bench({ primary: silent });

    const first = put(rig, small);
    assert.equal(await seconds(rig, first, 120_000), 30);
    await assert.rejects(first, /place is out of reach for 30 s: look up .* no answer within 5 s/);
    assert.equal(await seconds(rig, put(rig, small), 120_000), quickMs / 1000);

    assert.equal(rig.copy.objects.size, 0);
  });
});

describe("a copy whose region is silent", () => {
  test("fails a put within a bound where it is required, the next ones at once, and says what to do", async () => {
    const rig = bench({ copy: silent });

    const first = put(rig, small);
    assert.equal(await seconds(rig, first, 120_000), 30);
    await assert.rejects(
      first,
      /stored, but not copied to s3:\/\/c\/there: .*out of reach for 30 s: .*no answer within 5 s.*mode=best-effort.*out of the location's copyTo/,
    );
    const next = put(rig, small);
    assert.equal(await seconds(rig, next, 120_000), quickMs / 1000);
    await assert.rejects(next, (error) => isKind(error, "timeout"));

    assert.equal(rig.asked.copy.counts.get("copyFrom"), 1);
    assert.ok(rig.primary.objects.has(ref.key));
  });

  test("holds a put up for seconds where it is best-effort, and the next ones not at all", async () => {
    const rig = bench({ mode: "best-effort", copy: silent });

    assert.equal(await seconds(rig, put(rig, small), 120_000), 10);
    assert.equal(await seconds(rig, put(rig, small), 120_000), 0);
    await rig.clock.advance(unreachableMs);
    assert.equal(await seconds(rig, put(rig, small), 120_000), quickMs / 1000);

    assert.equal(warnings(rig).length, 3);
    assert.equal(rig.asked.copy.counts.get("copyFrom"), 1);
  });

  test("is told with what it answered, where its SDK keeps that to itself for long", async () => {
    const rig = bench({ copy: silent });
    rig.asked.copy.copyFrom = async () => {
      await new Promise<void>((resolve) => void rig.clock.timer(8000, resolve));
      throw new PluginError("503 from the store", { kind: "unavailable", code: "SlowDown" });
    };

    const stored = put(rig, small);
    await seconds(rig, stored, 120_000);

    await assert.rejects(stored, (error) => {
      assert.ok(isKind(error, "unavailable"));
      assert.match(error.message, /no answer within 5 s.*before: 503 from the store/);
      return true;
    });
  });

  test("is asked again when it answers", async () => {
    const rig = bench({ copy: [{ on: "copyFrom", nth: [1, 2, 3, 4, 5], action: outage }] });
    await assert.rejects(put(rig, small), (error) => isKind(error, "unavailable"));

    await put(rig, small);

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(small));
  });

  test("does not keep a question waiting that the location has answered", async () => {
    const rig = bench({ copy: silent });

    const exists = rig.store.objectExists(absent, rig.call);
    assert.equal(await seconds(rig, exists, 40_000), quickMs / 1000);
    assert.equal(await seconds(rig, rig.store.objectExists(absent, rig.call), 40_000), 0);

    assert.equal(await exists, false);
  });

  test("is told from a copy that takes its time", async () => {
    const rig = bench();
    const copyFrom = rig.asked.copy.copyFrom.bind(rig.asked.copy);
    rig.asked.copy.copyFrom = async (...words) => {
      await new Promise<void>((resolve) => void rig.clock.timer(300_000, resolve));
      return await copyFrom(...words);
    };

    assert.equal(await seconds(rig, put(rig, small), 400_000), 300);

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(small));
  });

  test("fails a put too when it is lost in the middle of a copy", async () => {
    const rig = bench({ copy: [{ on: "copyFrom", action: never }] });
    const stored = put(rig, small);
    await settle();
    await rig.clock.advance(60_000);

    rig.lose("copy");

    const took = await seconds(rig, stored, 120_000);
    assert.ok(took <= 75, `took ${took} s`);
    await assert.rejects(stored, /out of reach for [56]\d s: the service failed/);
  });
});

for (const [what, look] of [
  ["as was seen before", async (rig: Bench) => void (await rig.store.objectExists(ref, rig.call))],
  ["which nobody has asked yet", async () => {}],
] as const)
  test(`a delete takes no copy of an object that stays, since its location is out of reach, ${what}`, async () => {
    const rig = bench();
    await put(rig, small);
    rig.lose("primary");
    await look(rig);

    await assert.rejects(rig.store.deleteObject(ref, rig.call), (error) => isKind(error, "unavailable"));

    assert.equal(rig.asked.copy.counts.get("remove"), undefined);
    assert.ok(rig.copy.objects.has(copyKey));
  });
