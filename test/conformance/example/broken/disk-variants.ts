import { createWriteStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import { fileOf } from "./disk.ts";
import type { Variant } from "./variant.ts";

/** Object stores that lose or damage what outlives the process, or hold it in memory on its way. */
export const diskVariants: readonly Variant[] = [
  {
    name: "holds-objects-in-memory",
    breaks: "an object is held in memory while it passes",
    caughtBy: "object-store/memory/put-and-get",
    control: "disk",
  },
  {
    name: "keeps-objects-for-itself",
    breaks: "another process does not find what one has stored",
    caughtBy: "object-store/get/another-process",
    control: "disk",
  },
  {
    name: "forgets-at-a-crash",
    breaks: "what was stored is lost with a process that is killed",
    caughtBy: "process/restart/finds-what-was-stored",
    control: "disk",
  },
  {
    name: "writes-files-in-place",
    breaks: "a put writes over the former object as its bytes come",
    caughtBy: "faults/kill/large-in-the-middle",
    control: "disk",
    isOnDisk: true,
    objects: () => ({
      putObject: async ({ bucket, key }, body) => {
        await writeFile(`${fileOf(bucket, key)}.key`, key);
        await pipeline(body, createWriteStream(fileOf(bucket, key)));
      },
    }),
  },
  {
    name: "removes-before-it-writes",
    breaks: "a put deletes the former object first",
    caughtBy: "faults/kill/small-in-the-middle",
    control: "disk",
    isOnDisk: true,
    objects: (store) => ({
      putObject: async (object, body, call) => {
        await rm(fileOf(object.bucket, object.key), { force: true });
        await store.putObject(object, body, call);
      },
    }),
  },
  {
    name: "begins-with-an-empty-object",
    breaks: "a put makes an empty object first and fills it later",
    caughtBy: "faults/kill/small-before-the-end-of-the-stream",
    control: "disk",
    isOnDisk: true,
    objects: (store) => ({
      putObject: async (object, body, call) => {
        await store.putObject(object, nothing(), call);
        await store.putObject(object, body, call);
      },
    }),
  },
];

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
