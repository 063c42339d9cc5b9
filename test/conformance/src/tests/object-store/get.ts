import { setTimeout as delay } from "node:timers/promises";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual, expectError } from "../../expect.ts";
import { absenceWordIn } from "../../plugin/wire-error.ts";
import type { ConformanceTest } from "../../test.ts";
import { atOnce } from "./at-once.ts";

const mebibyte = 1024 ** 2;

/** What a reader sees. */
export const getTests: readonly ConformanceTest[] = [
  {
    id: "object-store/get/missing",
    title: "a get of a missing object says that it is gone",
    rule: "get-missing-says-gone",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      const error = await expectError(store.get(t.key("backups/b/b.tar.gz")), "a get of a missing object");

      expect(absenceWordIn(error.message) !== undefined, `no word for "gone" in: ${error.message}`);
    },
  },
  {
    id: "object-store/get/deleted",
    title: "a get of an object that was deleted says that it is gone",
    rule: "get-missing-says-gone",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("object"), Buffer.from("here"));
      await store.delete(t.key("object"));

      const error = await expectError(store.get(t.key("object")), "a get of a deleted object");

      expect(absenceWordIn(error.message) !== undefined, `no word for "gone" in: ${error.message}`);
    },
  },
  {
    id: "object-store/get/folder",
    title: "a get of a folder without a marker says that it is gone",
    rule: "get-missing-says-gone",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await store.put(t.key("folder/object"), Buffer.from("here"));

      const error = await expectError(store.get(t.key("folder")), "a get of a folder");

      expect(absenceWordIn(error.message) !== undefined, `no word for "gone" in: ${error.message}`);
    },
  },
  {
    id: "object-store/get/after-failures",
    title: "gets that fail leave the process and the calls after them unharmed",
    rule: "cancelled-get-harms-nobody",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const body = bodyOf("after failures", 100_000);
      const missing = Array.from({ length: 40 }, (_, index) => t.key(`missing-${index}`));
      await atOnce(missing, 10, (key) => expectError(store.get(key), "a get of a missing object"));

      await store.put(t.key("object"), body);

      expectBytes(await store.get(t.key("object")), body, "the object");
    },
  },
  {
    id: "object-store/get/slow-reader",
    title: "a reader that pauses again and again gets the whole object",
    rule: "get-waits-for-its-reader",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const body = bodyOf("slow reader", 24 * mebibyte);
      await store.put(t.key("object"), body);
      const chunks: Uint8Array[] = [];
      let pauseAt = 0;

      for await (const chunk of store.read(t.key("object"))) {
        chunks.push(chunk);
        if ((pauseAt -= chunk.length) > 0) continue;
        pauseAt = 4 * mebibyte;
        await delay(200);
      }

      expectBytes(Buffer.concat(chunks), body, "the object");
    },
  },
  {
    id: "object-store/get/another-process",
    title: "another process reads what one has stored",
    rule: "put-keeps-every-byte",
    kind: "ObjectStore",
    needs: ["durable"],
    run: async (t) => {
      const body = bodyOf("another process", 9 * mebibyte);
      const writer = await t.openObjectStore();
      await writer.put(t.key("object"), body);
      await writer.session.shutdown();

      const reader = await t.openObjectStore();

      expectBytes(await reader.get(t.key("object")), body, "the object");
      expectEqual(await reader.exists(t.key("object")), true, "ObjectExists");
    },
  },
];
