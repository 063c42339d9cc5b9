import { bodyOf } from "../../bodies.ts";
import { expectBytes, expectEqual, expectError } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

const small = Buffer.from("small");

/** Several locations of one provider in one process, as the server has them. */
export const locationsTests: readonly ConformanceTest[] = [
  {
    id: "object-store/locations/two-buckets",
    title: "two locations of two buckets, used in turn, keep their objects apart",
    rule: "opens-several-times",
    kind: "ObjectStore",
    needs: ["second-location"],
    run: async (t) => {
      const session = await t.start();
      const config = t.fact(t.objectTarget.second, "second");
      const stores = [await t.openObjectStore({ session }), await t.openObjectStore({ session, config })];

      for (const [index, store] of stores.entries()) await store.put(t.key("object"), bodyOf(`${index}`, 20_000));

      for (const [index, store] of stores.entries())
        expectBytes(await store.get(t.key("object")), bodyOf(`${index}`, 20_000), `the object of location ${index}`);
      for (const store of stores) await store.delete(t.key("object"));
    },
  },
  {
    id: "object-store/locations/two-buckets-at-once",
    title: "two locations of two buckets, used at the same time, keep their objects apart",
    rule: "opens-several-times",
    kind: "ObjectStore",
    needs: ["second-location"],
    run: async (t) => {
      const session = await t.start();
      const config = t.fact(t.objectTarget.second, "second");
      const stores = [await t.openObjectStore({ session, config }), await t.openObjectStore({ session })];
      const bodies = stores.map((_, index) => bodyOf(`at once ${index}`, 6 * 1024 ** 2));

      await Promise.all(stores.map((store, index) => store.put(t.key("object"), bodies[index] ?? small)));

      const received = await Promise.all(stores.map((store) => store.get(t.key("object"))));
      for (const [index, body] of received.entries())
        expectBytes(body, bodies[index] ?? small, `the object of location ${index}`);
    },
  },
  {
    id: "object-store/locations/two-prefixes",
    title: "two locations of one bucket under two prefixes work side by side",
    rule: "opens-several-times",
    kind: "ObjectStore",
    run: async (t) => {
      const session = await t.start();
      for (const name of ["one", "two"]) {
        const store = await t.openObjectStore({ session, config: { prefix: t.key(name) } });
        await store.put(t.key(`${name}/backups/b/velero-backup.json`), Buffer.from(name));
      }
      const store = await t.openObjectStore({ session, config: { prefix: t.key("one") } });

      for (const name of ["one", "two"]) {
        expectEqual(await store.listCommonPrefixes(t.key(`${name}/`)), [t.key(`${name}/backups/`)], "the directories");
        const body = await store.get(t.key(`${name}/backups/b/velero-backup.json`));
        expectBytes(body, Buffer.from(name), `the object of location ${name}`);
      }
    },
  },
  {
    id: "object-store/locations/credentials-by-prefix",
    title: "a location keeps its credentials when another of its bucket is opened with others",
    rule: "locations-side-by-side",
    kind: "ObjectStore",
    needs: ["authenticates"],
    run: async (t) => {
      const session = await t.start({ mayWarn: true });
      const good = await t.openObjectStore({ session, config: { prefix: t.key("good") } });
      const config = { ...t.fact(t.objectTarget.denied, "denied"), prefix: t.key("bad") };
      const bad = t.openObjectStore({ session, config });
      await bad.catch(() => undefined);

      await good.put(t.key("good/backups/b/b"), small);

      expectBytes(await good.get(t.key("good/backups/b/b")), small, "the object of the good location");
      expectEqual(await good.listObjects(t.key("good/")), [t.key("good/backups/b/b")], "its keys");
      await expectError(
        bad.then((store) => store.put(t.key("bad/backups/b/b"), small)),
        "a put into the other location",
      );
    },
  },
  {
    id: "object-store/locations/credentials-by-bucket",
    title: "a location keeps its credentials when one of another bucket is opened with others",
    rule: "locations-side-by-side",
    kind: "ObjectStore",
    needs: ["authenticates", "second-location"],
    run: async (t) => {
      const session = await t.start({ mayWarn: true });
      const good = await t.openObjectStore({ session });
      const { second, denied } = t.objectTarget;
      const config = { ...t.fact(second, "second"), ...t.fact(denied, "denied") };
      const bad = t.openObjectStore({ session, config });
      await bad.catch(() => undefined);

      await good.put(t.key("object"), small);

      expectBytes(await good.get(t.key("object")), small, "the object of the good location");
      await expectError(
        bad.then((store) => store.put(t.key("object"), small)),
        "a put into the other location",
      );
    },
  },
];
