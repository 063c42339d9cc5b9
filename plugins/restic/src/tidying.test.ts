import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError, silentLogger } from "@flotilla/sdk/plugin";
import { ObjectIndex } from "./object-index.ts";
import { dataTags, recordTags } from "./object-tags.ts";
import { OperationGate } from "./operation-gate.ts";
import type { ListedSnapshot } from "./snapshot-list.ts";
import { Tidying } from "./tidying.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const object = { bucket: "b", key: "k" };

const ago = (ms: number): number => Date.now() - ms;
const data = (upload: string, startedMs: number): ListedSnapshot => ({
  id: `data-${upload}`,
  startedMs,
  tags: dataTags(object, upload),
  sizeBytes: 1,
});
const record = (upload: string, order: number): ListedSnapshot => ({
  id: `record-${upload}`,
  startedMs: order,
  tags: recordTags({ ...object, upload, order, content: { sizeBytes: 1, sha256: Buffer.alloc(32) } }),
  sizeBytes: 1,
});

/** Tidies a repository with these snapshots; answers the ids that were forgotten, in order. */
async function tidy(snapshots: readonly ListedSnapshot[], failure?: PluginError): Promise<readonly string[]> {
  const forgotten: string[] = [];
  const repository = {
    gate: new OperationGate(),
    run: async ({ args }: { readonly args: readonly string[] }) => {
      assert.equal(args[0], "forget");
      forgotten.push(...args.slice(1));
      return { output: "", end: { code: 0, signal: null, lines: [] } };
    },
  };
  const view = {
    complete: async () => {
      if (failure !== undefined) throw failure;
      return new ObjectIndex(snapshots);
    },
    removed: () => {},
    forgotten: () => {},
  };
  const tidying = new Tidying(repository, view);
  tidying.begin(silentLogger);
  tidying.begin(silentLogger);
  await tidying.ended();
  return forgotten;
}

test("a version that was replaced long ago is forgotten with its data, the one that counts never", async () => {
  const [old, now] = [ago(2 * hourMs), ago(hourMs)];
  const snapshots = [data("old", old), record("old", old), data("new", now), record("new", now)];

  assert.deepEqual(await tidy(snapshots), ["record-old", "data-old"]);
});

test("a version that was replaced just now stays, however old it is: a reader may still want it", async () => {
  const [old, now] = [ago(2 * hourMs), ago(5 * minuteMs)];

  assert.deepEqual(await tidy([data("a", old), record("a", old), data("b", now), record("b", now)]), []);
});

test("data without a record is taken for an upload under way for three days", async () => {
  assert.deepEqual(await tidy([data("young", ago(71 * hourMs)), data("dead", ago(73 * hourMs))]), ["data-dead"]);
});

test("a record that lost its data is left for three days", async () => {
  assert.deepEqual(await tidy([record("lost", ago(71 * hourMs))]), []);
  assert.deepEqual(await tidy([record("lost", ago(73 * hourMs))]), ["record-lost"]);
});

test("nothing is forgotten while a snapshot cannot be read", async () => {
  const failure = new PluginError("1 snapshot files cannot be read", { kind: "corrupt" });

  assert.deepEqual(await tidy([data("dead", ago(1000 * hourMs))], failure), []);
});
