import { bodyOf } from "../../bodies.ts";
import { expectBytes, expectEqual, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import { fill } from "./fill.ts";

/** What a delete removes, and what not. */
export const deleteTests: readonly ConformanceTest[] = [
  {
    id: "object-store/delete/removes",
    title: "a deleted object is neither listed nor read",
    rule: "delete-removes",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["object"]);

      await store.delete(t.key("object"));

      expectEqual(await store.listObjects(t.prefix), [], "the keys of the listing");
      await expectError(store.get(t.key("object")), "a get of the deleted object");
    },
  },
  {
    id: "object-store/delete/removes-a-large-one",
    title: "an object of many parts is deleted with one call",
    rule: "delete-removes",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("object"), bodyOf("many parts", 17 * 1024 ** 2));

      await store.delete(t.key("object"));

      expectEqual(await store.listObjects(t.prefix), [], "the keys of the listing");
    },
  },
  {
    id: "object-store/delete/neighbours",
    title: "a delete leaves the keys that begin alike",
    rule: "delete-removes",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["object", "object-2", "objec"]);

      await store.delete(t.key("object"));

      const keys = await store.listObjects(t.prefix);
      expectEqual([...keys].sort(), [t.key("objec"), t.key("object-2")], "the keys of the listing");
    },
  },
  {
    id: "object-store/delete/folder",
    title: "a delete of a folder's name leaves what the folder holds",
    rule: "delete-removes",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["folder/object"]);

      // Whether there is anything to delete is another question.
      await Promise.allSettled([store.delete(t.key("folder")), store.delete(t.key("folder/"))]);

      expectEqual(await store.listObjects(t.prefix), [t.key("folder/object")], "the keys of the listing");
    },
  },
  {
    id: "object-store/delete/twice",
    title: "deleting an object twice succeeds",
    rule: "delete-twice",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["object"]);

      await store.delete(t.key("object"));
      await store.delete(t.key("object"));
    },
  },
  {
    id: "object-store/delete/never-there",
    title: "deleting what never was there succeeds",
    rule: "delete-twice",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await store.delete(t.key("never/there"));
    },
  },
  {
    id: "object-store/delete/put-again",
    title: "an object can be put again after its delete",
    rule: "delete-removes",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["object"]);
      await store.delete(t.key("object"));

      await store.put(t.key("object"), Buffer.from("again"));

      expectBytes(await store.get(t.key("object")), Buffer.from("again"), "the object");
    },
  },
];
