import { expect, expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { fill, putMarker } from "./fill.ts";

/** Which keys ListObjects answers. */
export const listTests: readonly ConformanceTest[] = [
  {
    id: "object-store/list/below-a-prefix",
    title: "every key below the prefix is listed whole, at every depth, and no other",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const below = ["backups/a/velero-backup.json", "backups/a/a.tar.gz", "backups/a/deep/er/file"];
      await fill(t, store, [...below, "backups/ab/velero-backup.json", "backups/b/x", "restores/a/x", "backups-a"]);

      await expectKeys(t, store, "backups/a/", below);
    },
  },
  {
    id: "object-store/list/prefix-in-a-name",
    title: "a prefix may end in the middle of a name",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["backups/ab/x", "backups/abc", "backups/b/x"]);

      await expectKeys(t, store, "backups/a", ["backups/ab/x", "backups/abc"]);
    },
  },
  {
    id: "object-store/list/prefix-is-a-key",
    title: "a key that is the prefix itself is listed too",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["backup", "backup-2"]);

      await expectKeys(t, store, "backup", ["backup", "backup-2"]);
    },
  },
  {
    id: "object-store/list/key-and-folder",
    title: "an object beside a folder of the same name is listed with what the folder holds",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["backup", "backup/child"]);

      await expectKeys(t, store, "backup", ["backup", "backup/child"]);
    },
  },
  {
    id: "object-store/list/nothing",
    title: "a prefix below which nothing lies is listed as empty",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await expectKeys(t, store, "nothing/", []);
    },
  },
  {
    id: "object-store/list/folder-markers",
    title: "folder markers are listed as the keys that they are",
    rule: "list-is-complete",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await putMarker(store, t.key("backups/b/"));
      await fill(t, store, ["backups/b/b.tar.gz"]);

      await expectKeys(t, store, "backups/", ["backups/b/", "backups/b/b.tar.gz"]);
    },
  },
  {
    id: "object-store/list/order",
    title: "a key comes before every key that is a prefix of it",
    rule: "list-is-deletable-in-order",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fillFolders(t, store);

      const keys = await store.listObjects(t.prefix);

      const wrong = keys.find((key, index) => keys.slice(index + 1).some((later) => later.startsWith(key)));
      expect(wrong === undefined, `${wrong} comes before what lies below it: ${keys.join(", ")}`);
    },
  },
  {
    id: "object-store/list/deletes-as-listed",
    title: "deleting every key in the order of the listing leaves nothing",
    rule: "list-is-deletable-in-order",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fillFolders(t, store);

      for (const key of await store.listObjects(t.prefix)) await store.delete(key);

      await expectKeys(t, store, "", []);
    },
  },
];

async function fillFolders(t: TestContext, store: ObjectStoreSession): Promise<void> {
  for (const marker of ["backups/", "backups/b/", "backups/b/deep/"]) await putMarker(store, t.key(marker));
  await fill(t, store, ["backups/b/b.tar.gz", "backups/b/deep/file", "backups/b/velero-backup.json", "backups/c/x"]);
}

async function expectKeys(
  t: TestContext,
  store: ObjectStoreSession,
  prefix: string,
  names: readonly string[],
): Promise<void> {
  const keys = await store.listObjects(t.key(prefix));
  expectEqual([...keys].sort(), names.map((name) => t.key(name)).sort(), `the keys below ${prefix}`);
}
