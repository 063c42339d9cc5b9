import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachedDataVersionTag, setFlagsFromString } from "node:v8";
import type { Script } from "node:vm";
import { cacheName, entryChunk, runBundle } from "./chunk-loader.ts";

// A program: runs the chunks of a folder like the executable does and, when the process exits, writes for each chunk
// the code cache of the functions that have run. `code-cache-recorder <folder of chunks> <folder of caches>`
const [chunks, caches] = process.argv.slice(2);
if (chunks === undefined || caches === undefined) throw new Error("usage: code-cache-recorder CHUNKS CACHES");

const tag = cachedDataVersionTag();
const compiled = new Map<string, Script>();
process.once("exit", () => {
  // The first transfer switched it on, and V8 refuses caches that were made under other options than it starts with.
  setFlagsFromString("--no-external-memory-accounted-in-global-limit");
  if (cachedDataVersionTag() !== tag) throw new Error("the plugin changed an option of V8 that is not put back here");
  mkdirSync(caches, { recursive: true });
  for (const [name, script] of compiled) writeFileSync(join(caches, cacheName(name)), script.createCachedData());
});
runBundle(
  { code: (name) => readFileSync(join(chunks, name)), codeCache: () => undefined },
  entryChunk,
  (name, script) => compiled.set(name, script),
);
