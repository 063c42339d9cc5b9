import { gzipSync } from "node:zlib";

import { bodyOf } from "../../bodies.ts";
import { expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

const mebibyte = 1024 ** 2;

/** One byte, a message of the server and its neighbours, parts of stores and theirs. */
const sizes: readonly (readonly [name: string, sizeBytes: number])[] = [
  ["one byte", 1],
  ["one byte less than a message", 16_383],
  ["a whole message", 16_384],
  ["a message and a byte", 16_385],
  ["one byte less than 5 MiB", 5 * mebibyte - 1],
  ["5 MiB", 5 * mebibyte],
  ["5 MiB and a byte", 5 * mebibyte + 1],
  ["one byte less than 8 MiB", 8 * mebibyte - 1],
  ["8 MiB", 8 * mebibyte],
  ["8 MiB and a byte", 8 * mebibyte + 1],
  ["20 MiB", 20 * mebibyte],
];

const ofAllSizes = sizes.map(([name, sizeBytes]): ConformanceTest => ({
  id: `object-store/put/${name.replaceAll(" ", "-").toLowerCase()}`,
  title: `an object of ${name} comes back as it was put`,
  rule: "put-keeps-every-byte",
  kind: "ObjectStore",
  run: async (t) => {
    const store = await t.openObjectStore();
    const body = bodyOf(name, sizeBytes);

    await store.put(t.key("object"), body);

    expectBytes(await store.get(t.key("object")), body, "the object");
  },
}));

/** What is put is what is stored. */
export const putTests: readonly ConformanceTest[] = [
  ...ofAllSizes,
  {
    id: "object-store/put/gzip",
    title: "a gzip file comes back as a gzip file",
    rule: "put-keeps-gzip",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const file = gzipSync("the contents of a backup ".repeat(10_000));

      await store.put(t.key("backups/b/b.tar.gz"), file);

      expectBytes(await store.get(t.key("backups/b/b.tar.gz")), file, "the gzip file");
    },
  },
];
