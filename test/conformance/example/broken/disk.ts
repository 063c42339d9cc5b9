import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { compareKeys } from "@flotilla/sdk/objects";
import type { ObjectStore } from "@flotilla/sdk/plugin";

import { withObjectMethods } from "./variant.ts";

/** The file of an object's bytes. Its key lies beside it: file names cannot hold every key. */
export function fileOf(bucket: string, key: string): string {
  const folder = join(tmpdir(), "disk", bucket);
  mkdirSync(folder, { recursive: true });
  return join(folder, createHash("sha256").update(key).digest("hex"));
}

/** The example with its objects on the disk: they outlive the process, and need no memory. */
export function onDisk(memory: ObjectStore, bucket: string): ObjectStore {
  return withObjectMethods(memory, {
    putObject: async ({ key }, body, { signal }) => {
      const file = fileOf(bucket, key);
      const temporary = `${file}.${randomUUID()}`;
      try {
        await pipeline(body, createWriteStream(temporary), { signal });
        await writeFile(`${file}.key`, key);
        // The object appears whole, and at once.
        await rename(temporary, file);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    async *getObject(object, call) {
      const file = fileOf(bucket, object.key);
      if (existsSync(file)) yield* createReadStream(file) as AsyncIterable<Uint8Array>;
      else yield* memory.getObject(object, call);
    },
    objectExists: async ({ key }) => await Promise.resolve(existsSync(fileOf(bucket, key))),
    deleteObject: async ({ key }) => await rm(fileOf(bucket, key), { force: true }),
    listObjects: async ({ prefix }) => {
      const names = readdirSync(join(fileOf(bucket, ""), "..")).filter((name) => name.endsWith(".key"));
      const files = names.map((name) => join(tmpdir(), "disk", bucket, name));
      const stored = files.filter((file) => existsSync(file.slice(0, -".key".length)));
      const keys = stored.map((file) => readFileSync(file, "utf8")).filter((key) => key.startsWith(prefix));
      return await Promise.resolve(keys.sort((a, b) => compareKeys(b, a)));
    },
  });
}
