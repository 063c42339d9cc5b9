import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isKind, PluginError } from "../plugin/index.ts";
import { bench, copyKey, damage, isIdle, large, outage, put, ref, small, warnings } from "../testing/copies-bench.ts";
import { chunksOf, sampleBytes, settle } from "../testing/index.ts";
import { unreachableMs } from "./reach.ts";
import { completeLimitMs, requestLimitMs } from "./time-limits.ts";
import type { Bench } from "../testing/copies-bench.ts";
import type { FaultAction } from "../testing/index.ts";

const refusal: FaultAction = { does: "fail", error: new PluginError("not allowed", { kind: "denied" }) };

describe("a put", () => {
  for (const [name, bytes] of [
    ["small", small],
    ["large", large],
  ] as const)
    test(`of a ${name} object makes its copy below the copy's own prefix, without the bytes passing again`, async () => {
      const rig = bench();

      await put(rig, bytes);

      assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(bytes));
      assert.equal(rig.asked.primary.counts.get("read"), undefined);
      assert.deepEqual(warnings(rig), []);
    });

  test("fails when a required copy does, and says that the object is stored and what to do", async () => {
    const rig = bench({ copy: [{ on: "copyFrom", action: outage }] });

    await assert.rejects(put(rig, small), (error) => {
      assert.ok(isKind(error, "unavailable"));
      assert.match(
        error.message,
        /velero\/backups\/a.*stored, but not copied to s3:\/\/c\/there.*service failed.*mode=/,
      );
      return true;
    });

    assert.equal(rig.asked.copy.counts.get("copyFrom"), 5);
    assert.ok(rig.primary.objects.has(ref.key));
  });

  test("warns once when a best-effort copy fails, naming object, place and remedy", async () => {
    const rig = bench({ mode: "best-effort", copy: [{ on: "copyFrom", action: outage }] });

    await put(rig, small);

    const [line, ...others] = warnings(rig);
    assert.match(line?.message ?? "", /flotilla backup copy/);
    assert.deepEqual([line?.fields?.["key"], line?.fields?.["copy"]], [ref.key, "s3://c/there"]);
    assert.equal(others.length, 0);
  });

  test("waits once for a best-effort copy that never answers", async () => {
    const rig = bench({
      mode: "best-effort",
      copy: [{ on: "copyFrom", action: { does: "hang", heedsSignal: false } }],
    });

    const stored = put(rig, small);
    await settle();
    await rig.clock.advance(completeLimitMs + requestLimitMs(small.length));
    await stored;

    assert.equal(rig.asked.copy.counts.get("copyFrom"), 1);
    assert.equal(warnings(rig).length, 1);
  });

  test("does not try for long to connect to a best-effort copy", async () => {
    const rig: Bench = bench({ mode: "best-effort" });
    let requests = 0;
    rig.asked.copy.copyFrom = async () => {
      requests += 1;
      await rig.clock.advance(20_000);
      throw new PluginError("no connection", { kind: "unavailable" });
    };

    await put(rig, small);

    assert.equal(requests, 2);
    assert.equal(warnings(rig).length, 1);
  });

  test("does not wait again for a best-effort copy that is known to be out of reach", async () => {
    const rig = bench({ mode: "best-effort", copy: [{ on: "copyFrom", action: outage }] });
    await put(rig, small);
    const before = rig.asked.copy.counts.get("copyFrom");

    await put(rig, small);
    assert.equal(rig.asked.copy.counts.get("copyFrom"), before);

    await rig.clock.advance(unreachableMs);
    await put(rig, small);
    assert.notEqual(rig.asked.copy.counts.get("copyFrom"), before);
  });

  test("outlasts a throttled copy", async () => {
    const rig = bench({ copy: [{ on: "copyFrom", nth: [1, 2, 3], action: outage }] });

    await put(rig, small);

    assert.ok(rig.copy.objects.has(copyKey));
  });

  test("makes no copy of what the location itself did not take", async () => {
    const rig = bench({ primary: [{ on: "put", action: outage }] });

    await assert.rejects(put(rig, small), (error) => isKind(error, "unavailable"));

    assert.equal(rig.asked.copy.counts.size, 0);
  });

  test("removes a copy that differs, and fails as corrupt where the object itself is damaged by now", async () => {
    const spoil = { does: "meanwhile", run: () => damage(rig.primary, ref.key, 17) } as const;
    const rig: Bench = bench({ copy: [{ on: "copyFrom", nth: [1], action: spoil }] });

    await assert.rejects(put(rig, small), (error) => {
      assert.ok(isKind(error, "corrupt"));
      assert.match(error.message, /not copied to s3:\/\/c\/there.*its crc32 is recorded as .*, its bytes give/);
      return true;
    });

    assert.equal(rig.copy.objects.size, 0);
  });

  test("carries the bytes over where the store's own copies keep arriving damaged, with a warning", async () => {
    const rig: Bench = bench({
      copy: [
        { on: "copyFrom", nth: [1, 2], action: { does: "meanwhile", run: () => damage(rig.primary, ref.key, 17) } },
        // Each copy was made of a damaged object, which is mended before the copy is looked at again.
        { on: "remove", action: { does: "meanwhile", run: () => damage(rig.primary, ref.key, 17) } },
      ],
    });

    await put(rig, small);

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(small));
    assert.deepEqual([rig.asked.copy.counts.get("copyFrom"), rig.asked.copy.counts.get("put")], [2, 1]);
    assert.match(warnings(rig)[0]?.message ?? "", /arrive damaged/);
  });

  test("copies again when the object was replaced meanwhile", async () => {
    const later = sampleBytes(4000, 7);
    const rig: Bench = bench({
      copy: [
        {
          on: "copyFrom",
          nth: [1],
          action: { does: "meanwhile", run: () => rig.primary.store(ref.key, later, undefined) },
        },
      ],
    });

    await put(rig, small);

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(later));
  });

  test("reads the copy back where the checksums are of different forms, and catches one that differs", async () => {
    const rig = bench({ store: { checksumAlgorithm: "sha256" } });
    await put(rig, large);
    assert.match(rig.lines.map(({ message }) => message).join(), /reading the copy back/);

    const spoilt = bench({
      store: { checksumAlgorithm: "sha256" },
      copy: [{ on: "read", action: { does: "flip", atByte: 7 } }],
    });
    await assert.rejects(put(spoilt, large), (error) => isKind(error, "corrupt"));
    assert.equal(spoilt.copy.objects.size, 0);
    assert.ok(isIdle(spoilt.copy) && isIdle(spoilt.primary));
  });

  test("compares with the object's own bytes where its store keeps no checksum", async () => {
    const rig = bench({ store: { checksumAlgorithm: "none" }, target: { checksumAlgorithm: "none" } });
    const spoilt = bench({
      store: { checksumAlgorithm: "none" },
      target: { checksumAlgorithm: "none" },
      copy: [{ on: "read", action: { does: "flip", atByte: 7 } }],
    });

    await put(rig, small);
    await assert.rejects(put(spoilt, small), (error) => isKind(error, "corrupt"));

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(small));
    assert.equal(spoilt.copy.objects.size, 0);
  });

  test("carries the bytes over where the store cannot copy, in parts and verified", async () => {
    const rig = bench({ target: { sources: {} } });

    await put(rig, large);

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(large));
    assert.ok((rig.asked.copy.counts.get("putPart") ?? 0) > 1);
  });

  test("outside the location's prefix or bucket concerns no copy", async () => {
    const rig = bench();

    await rig.store.putObject({ bucket: "b", key: "velero-two/x" }, chunksOf(small, 777), rig.call);
    await rig.store.putObject({ bucket: "other", key: ref.key }, chunksOf(small, 777), rig.call);

    assert.equal(rig.asked.copy.counts.size, 0);
  });
});

describe("a delete", () => {
  test("takes the copy along", async () => {
    const rig = bench();
    await put(rig, small);

    await rig.store.deleteObject(ref, rig.call);

    assert.equal(rig.primary.objects.size + rig.copy.objects.size, 0);
  });

  test("deletes nothing where a required copy cannot be deleted, so that it can be tried again", async () => {
    const rig = bench({ copy: [{ on: "remove", nth: [1], action: outage }] });
    await put(rig, small);

    await assert.rejects(rig.store.deleteObject(ref, rig.call), (error) => isKind(error, "unavailable"));
    assert.ok(rig.primary.objects.has(ref.key));

    await rig.clock.advance(unreachableMs);
    await rig.store.deleteObject(ref, rig.call);
    assert.equal(rig.primary.objects.size + rig.copy.objects.size, 0);
  });

  test("leaves the copy of an object that its own bucket refuses to delete", async () => {
    const rig = bench({ primary: [{ on: "remove", action: refusal }] });
    await put(rig, small);

    await assert.rejects(rig.store.deleteObject(ref, rig.call), (error) => isKind(error, "denied"));

    assert.ok(rig.copy.objects.get(copyKey)?.bytes.equals(small));
    assert.deepEqual(warnings(rig), []);
  });

  test("says which copy is missing where it cannot be made again", async () => {
    const rig = bench({
      primary: [{ on: "remove", action: refusal }],
      copy: [{ on: "copyFrom", nth: [2], action: refusal }],
    });
    await put(rig, small);

    await assert.rejects(rig.store.deleteObject(ref, rig.call), (error) => isKind(error, "denied"));

    const [line] = warnings(rig);
    assert.match(line?.message ?? "", /could not be deleted.*flotilla backup copy/);
    assert.deepEqual([line?.fields?.["key"], line?.fields?.["copy"]], [ref.key, "s3://c/there"]);
  });

  test("does not touch the copy of an object that is held, where the store keeps what is held", async () => {
    const rig = bench({ store: { hold: "retained until tomorrow", refusesHeld: true } });
    await put(rig, small);

    await assert.rejects(rig.store.deleteObject(ref, rig.call), (error) => isKind(error, "held"));

    assert.equal(rig.asked.copy.counts.get("remove"), undefined);
    assert.ok(rig.copy.objects.has(copyKey));
  });

  test("goes on without a best-effort copy, with a warning", async () => {
    const rig = bench({ mode: "best-effort", copy: [{ on: "remove", action: outage }] });
    await put(rig, small);

    await rig.store.deleteObject(ref, rig.call);

    assert.equal(rig.primary.objects.size, 0);
    assert.match(warnings(rig)[0]?.message ?? "", /left behind/);
  });
});
