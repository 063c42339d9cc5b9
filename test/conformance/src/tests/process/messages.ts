import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";

const mebibyte = 1024 ** 2;
/** Together the names of these objects are longer than gRPC's default limit of 4 MiB. */
const longKeys = { count: 4600, lengthBytes: 950 } as const;
const workers = 32;

/** Messages above gRPC's default limit of 4 MiB. */
export const messageTests: readonly ConformanceTest[] = [
  {
    id: "process/messages/large-answer",
    title: "a listing of more than 4 MiB arrives in one answer",
    rule: "takes-large-messages",
    kind: "ObjectStore",
    needs: ["many-keys"],
    isSlow: true,
    timeoutMs: 180_000,
    run: async (t) => {
      const store = await t.openObjectStore();
      const keys = Array.from({ length: longKeys.count }, (_, index) =>
        t.key(String(index).padStart(longKeys.lengthBytes - t.prefix.length, "0")),
      );
      await forEach(keys, async (key) => await store.put(key, Buffer.from("x")));
      // One after the other, as at the end of a run, would take longer than the test.
      t.own(async () => await forEach(keys, async (key) => await store.delete(key)));

      const listed = await store.listObjects(t.prefix);

      expect(Buffer.byteLength(listed.join("")) > 4 * mebibyte, `${listed.length} keys of ${keys.length} came`);
      expectEqual(new Set(listed).size, keys.length, "the number of keys");
    },
  },
  {
    id: "process/messages/large-put-message",
    title: "an object that comes in one message of 5 MiB is stored whole",
    rule: "takes-large-requests",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const body = bodyOf("large message", 5 * mebibyte);

      await store.putMessages(oneMessage(store, t.key("large"), body));

      expectBytes(await store.get(t.key("large")), body, "the object");
    },
  },
  {
    id: "process/messages/large-persistent-volume",
    title: "a PersistentVolume of 5 MiB passes in both directions",
    rule: "takes-large-requests",
    kind: "VolumeSnapshotter",
    needs: ["volumes"],
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      const form = t.volumeTarget.persistentVolumes?.find(({ rewrittenTo }) => rewrittenTo !== undefined);
      const { spec, rewrittenTo, labels = {} } = t.fact(form, "persistentVolumes with rewrittenTo");
      const annotations = { large: "x".repeat(5 * mebibyte) };
      const metadata = { name: "pv", labels, annotations };
      const volume = JSON.stringify({ apiVersion: "v1", kind: "PersistentVolume", metadata, spec });

      const answer = await snapshotter.setVolumeId(volume, t.fact(rewrittenTo, "rewrittenTo"));

      expect(answer.length > 5 * mebibyte, `${volume.length} characters went in and ${answer.length} came out`);
    },
  },
];

async function* oneMessage(store: ObjectStoreSession, key: string, body: Uint8Array) {
  yield await Promise.resolve(store.putMessage(key, body));
}

async function forEach(keys: readonly string[], work: (key: string) => Promise<void>): Promise<void> {
  const left = [...keys];
  const take = async (): Promise<void> => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await work(key);
  };
  await Promise.all(Array.from({ length: workers }, take));
}
