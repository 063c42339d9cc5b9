import assert from "node:assert/strict";
import { test } from "node:test";

import { silentLogger } from "../plugin/index.ts";
import type { OpenedObjectStore } from "../plugin/index.ts";
import { MemoryObjectStore } from "../testing/memory-object-store.ts";
import { ObjectLocations } from "./object-locations.ts";

// From the oldest to the newest.
const opened = [
  ["one", ""],
  ["one", "p"],
  ["one", "p/q/"],
  ["two", "x"],
  ["two", "y"],
] as const;

for (const [bucket, key, expected] of [
  ["one", "backups/a", "one/"],
  ["one", "p/backups/a", "one/p"],
  ["one", "p/", "one/p"],
  ["one", "p", "one/p"],
  ["one", "pp/a", "one/"],
  ["one", "p/q/a", "one/p/q"],
  ["one", "p/qq/a", "one/p"],
  ["one", "", "one/"],
  ["two", "x/a", "two/x"],
  ["two", "elsewhere", "two/y"],
  ["three", "a", "two/y"],
] as const) {
  test(`key "${key}" of bucket ${bucket} belongs to location ${expected}`, () => {
    const locations = new ObjectLocations(silentLogger);
    for (const [bucketOf, prefix] of opened)
      locations.add("n", { bucket: bucketOf, prefix }, new MemoryObjectStore([bucketOf]));

    const found = locations.find("n", bucket, key);

    assert.equal(`${found.key.bucket}/${found.key.prefix}`, expected);
  });
}

test("names do not share locations", () => {
  const locations = new ObjectLocations(silentLogger);
  locations.add("n", { bucket: "b" }, new MemoryObjectStore(["b"]));

  assert.throws(() => locations.find("m", "b", "k"), /m: no location was opened/);
});

test("opening a location again replaces it and closes the former one after its last call", async () => {
  const events: string[] = [];
  const locations = new ObjectLocations(silentLogger);
  locations.add("n", { bucket: "b", prefix: "p" }, closable("former", events));
  const finish = Promise.withResolvers<void>();
  const call = locations.find("n", "b", "p/k").use(async () => {
    await finish.promise;
    events.push("former call ended");
  });

  locations.add("n", { bucket: "b", prefix: "p" }, closable("latter", events));
  await locations.find("n", "b", "p/k").use(async (store) => {
    events.push(await store.createSignedUrl({ bucket: "b", key: "k" }, 1, neverAborted));
  });
  finish.resolve();
  await call;

  assert.deepEqual(events, ["latter", "former call ended", "former closed"]);
});

const neverAborted = { signal: new AbortController().signal, log: silentLogger };

/** A store whose signed URLs are its name, and which tells when it is closed. */
function closable(name: string, events: string[]): OpenedObjectStore {
  return Object.assign(new MemoryObjectStore(["b"]), {
    createSignedUrl: async () => await Promise.resolve(name),
    close: async () => {
      events.push(`${name} closed`);
      await Promise.resolve();
    },
  });
}
