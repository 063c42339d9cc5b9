import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { PluginError } from "@flotilla/sdk/plugin";
import { extract } from "tar-stream";
import type { Header } from "tar-stream";

/** One file of a tarball. Its content must be read, or let go of by going on, before the next one comes. */
export interface TarFile {
  /** Relative, without `..`: safe to join to a folder. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

interface Entry extends AsyncIterable<Uint8Array> {
  readonly header: Header;
  resume(): unknown;
}

/**
 * Walks the files of a gzipped tarball as its bytes arrive. A body that is no gzip, no tar, or ends early is `corrupt`, and
 * so is an entry that could leave the folder that it is extracted to: an absolute path, `..`, a link or a device.
 */
export async function readTarball(
  body: AsyncIterable<Uint8Array>,
  visit: (file: TarFile) => Promise<void>,
): Promise<void> {
  const archive = extract();
  // The source's own error is kept: the pipeline may report the consequence instead.
  let sourceError: unknown;
  const watched = watch(body, (error) => (sourceError = error));
  const [walking, piping] = await Promise.allSettled([
    // The library types the bytes of an entry as unknown.
    walk(archive as AsyncIterable<Entry>, visit),
    pipeline(Readable.from(watched, { objectMode: false }), createGunzip(), archive),
  ]);
  if (sourceError !== undefined) throw sourceError;
  if (walking.status === "rejected" && !isStreamFault(walking.reason)) throw walking.reason;
  for (const { status, ...rest } of [piping, walking]) {
    if (status === "rejected" && "reason" in rest) throw corrupt(rest.reason);
  }
}

async function walk(archive: AsyncIterable<Entry>, visit: (file: TarFile) => Promise<void>): Promise<void> {
  const seen = new Set<string>();
  for await (const entry of archive) {
    const { name, type, size } = entry.header;
    if (type === "directory") {
      safePath(name);
      entry.resume();
      continue;
    }
    if (type !== "file" && type !== "contiguous-file") {
      throw new PluginError(`the tarball's entry ${JSON.stringify(name)} is a ${type}, which no backup holds`, {
        kind: "corrupt",
      });
    }
    const path = safePath(name);
    if (seen.has(path)) throw new PluginError(`the tarball holds ${JSON.stringify(name)} twice`, { kind: "corrupt" });
    seen.add(path);
    await visit({ path, sizeBytes: size, content: entry });
    entry.resume();
  }
}

function safePath(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isUnsafe = name.startsWith("/") || parts.includes("..") || /[\\\0]/.test(name) || /^[A-Za-z]:/.test(name);
  if (!isUnsafe && (parts.length > 0 || /^[./]*$/.test(name))) return parts.join("/");
  throw new PluginError(`the tarball's entry ${JSON.stringify(name)} would leave the folder`, { kind: "corrupt" });
}

/** Passes the body on and tells its own errors; one that the reader throws into it is the reader's. */
async function* watch(
  body: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = body[Symbol.asyncIterator]();
  const next = async () => {
    try {
      return await chunks.next();
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  try {
    for (let chunk = await next(); chunk.done !== true; chunk = await next()) yield chunk.value;
  } finally {
    await chunks.return?.();
  }
}

/** Whether the error is of the streams themselves: a broken structure, or the end of one because of another. */
function isStreamFault(error: unknown): boolean {
  return (
    !(error instanceof PluginError) && error instanceof Error && !("syscall" in error) && error.name !== "SyntaxError"
  );
}

function corrupt(reason: unknown): PluginError {
  const detail = reason instanceof Error ? reason.message : String(reason);
  return new PluginError(`the tarball is broken: ${detail}`, { kind: "corrupt", cause: reason });
}
