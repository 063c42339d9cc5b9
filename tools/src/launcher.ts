import { writeSync } from "node:fs";
import { getAssetKeys, getRawAsset } from "node:sea";
import { cacheName, entryChunk, runBundle } from "./chunk-loader.ts";

// The program inside every executable: Node's single executable holds one script and any number of files, so the
// bundle's chunks and their code caches are such files, read where they lie in the mapped executable.
const files = new Set(getAssetKeys());
const isTraced = process.env["FLOTILLA_TRACE"] === "chunks";

runBundle(
  {
    code: file,
    codeCache: (name) => (files.has(cacheName(name)) ? file(cacheName(name)) : undefined),
  },
  entryChunk,
  isTraced ? trace : undefined,
);

function file(name: string): Buffer {
  return Buffer.from(getRawAsset(name));
}

// A line that the server takes for one of the plugin's log lines, should the variable be set there. Written past
// process.stderr, which the plugin may replace.
function trace(chunk: string, { cachedDataRejected }: { readonly cachedDataRejected?: boolean | undefined }): void {
  const codeCache = cachedDataRejected === undefined ? "none" : cachedDataRejected ? "rejected" : "accepted";
  writeSync(2, `${JSON.stringify({ "@level": "debug", "@message": "chunk loaded", chunk, codeCache })}\n`);
}
