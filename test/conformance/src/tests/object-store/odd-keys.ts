import { expectBytes, expectEqual } from "../../expect.ts";
import { WireError } from "../../plugin/wire-error.ts";
import type { ConformanceTest } from "../../test.ts";
import { oddKeys } from "./odd-key-table.ts";

const eachKey = oddKeys.map(({ name, below, needs }): ConformanceTest => ({
  id: `object-store/odd-keys/${name}`,
  title: `a key of the kind "${name}" is put, found, listed, read and deleted as it is`,
  rule: "odd-keys",
  kind: "ObjectStore",
  ...(needs === undefined ? {} : { needs }),
  run: async (t) => {
    const store = await t.openObjectStore();
    const key = below(t.prefix);
    const body = Buffer.from(key);

    await store.put(key, body);

    expectEqual(await store.exists(key), true, "ObjectExists");
    expectEqual(await store.listObjects(t.prefix), [key], "the keys of the listing");
    expectBytes(await store.get(key), body, "the object");
    await store.delete(key);
    expectEqual(await store.listObjects(t.prefix), [], "the keys after the delete");
  },
}));

/** Keys that are easily garbled on their way to the store and back. */
export const oddKeysTests: readonly ConformanceTest[] = [
  ...eachKey,
  {
    id: "object-store/odd-keys/alike",
    title: "keys that differ only in their encoding are different objects",
    rule: "odd-keys",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const keys = ["a b", "a+b", "a%20b", "a%2Bb"].map((name) => t.key(name));

      for (const key of keys) await store.put(key, Buffer.from(key));

      for (const key of keys) expectBytes(await store.get(key), Buffer.from(key), key);
      expectEqual([...(await store.listObjects(t.prefix))].sort(), [...keys].sort(), "the keys of the listing");
    },
  },
  {
    id: "object-store/odd-keys/common-prefixes",
    title: "common prefixes of odd names are whole",
    rule: "odd-keys",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const folders = ["a b/", "a+b/", "a%20b/", "a&b=c/"].map((name) => t.key(name));

      for (const folder of folders) await store.put(`${folder}x`, Buffer.from("x"));

      expectEqual([...(await store.listCommonPrefixes(t.prefix))].sort(), [...folders].sort(), "the common prefixes");
    },
  },
  {
    id: "object-store/odd-keys/too-long",
    title: "a key of 8,000 bytes is refused or kept whole, and the process goes on",
    rule: "odd-keys-too-long",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore({ mayWarn: true });
      const [key, body] = [t.key("k/".repeat(4000)), Buffer.from("x")];

      const isKept = await store.put(key, body).then(
        () => true,
        (error: unknown) => {
          if (error instanceof WireError) return false;
          throw error;
        },
      );

      if (isKept) expectBytes(await store.get(key), body, "the object under the long key");
      await store.put(t.key("next"), body);
      expectBytes(await store.get(t.key("next")), body, "the next object");
    },
  },
];
