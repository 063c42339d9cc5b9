import { expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { putMarker } from "./fill.ts";

/** What is asked for beside an object `dir/object`. */
const absent: readonly (readonly [name: string, title: string, key: string])[] = [
  ["nothing", "a key under which nothing was ever put is absent", "nothing"],
  ["beginning-of-a-key", "the beginning of a key is no object", "dir/obj"],
  ["longer-key", "a key that continues that of an object is no object", "dir/object-2"],
  ["folder", "a folder without a marker is no object", "dir"],
  ["folder-with-slash", "a folder without a marker is no object, asked for with its slash", "dir/"],
  ["other-case", "a key in other letters is another key", "dir/Object"],
];

const absentTests = absent.map(([name, title, key]): ConformanceTest => ({
  id: `object-store/exists/${name}`,
  title,
  rule: "exists-tells-the-truth",
  kind: "ObjectStore",
  run: async (t) => {
    const store = await t.openObjectStore();
    await store.put(t.key("dir/object"), Buffer.from("here"));

    expectEqual(await store.exists(t.key(key)), false, `ObjectExists of ${key}`);
  },
}));

/** What ObjectExists says. */
export const existsTests: readonly ConformanceTest[] = [
  {
    id: "object-store/exists/object",
    title: "an object exists as soon as its put has ended",
    rule: "exists-tells-the-truth",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await store.put(t.key("object"), Buffer.from("here"));

      expectEqual(await store.exists(t.key("object")), true, "ObjectExists");
    },
  },
  ...absentTests,
  {
    id: "object-store/exists/marker",
    title: "an object without bytes exists",
    rule: "exists-tells-the-truth",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await putMarker(store, t.key("marker/"));

      expectEqual(await store.exists(t.key("marker/")), true, "ObjectExists of a folder marker");
    },
  },
  {
    id: "object-store/exists/after-delete",
    title: "an object no longer exists as soon as its delete has ended",
    rule: "exists-tells-the-truth",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("object"), Buffer.from("here"));

      await store.delete(t.key("object"));

      expectEqual(await store.exists(t.key("object")), false, "ObjectExists after the delete");
    },
  },
];
