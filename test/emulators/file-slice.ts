import { closeSync, openSync, read } from "node:fs";
import { promisify } from "node:util";

/** A byte range of a stored file. */
export interface FileSlice {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** A byte range of a file that is open, so that what is stored under its name from now on does not reach its reader. */
export interface OpenSlice extends Disposable {
  readonly descriptor: number;
  readonly start: number;
  readonly length: number;
}

const readBytes = 1024 * 1024;
const readAt = promisify(read);

/** Opens a slice; the caller disposes of it. */
export function openSlice({ path, start, length }: FileSlice): OpenSlice {
  const descriptor = openSync(path, "r");
  return { descriptor, start, length, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** Reads an open slice in chunks; nothing where there is none. */
export async function* readOpenSlice(slice: OpenSlice | undefined): AsyncGenerator<Buffer> {
  if (slice === undefined) return;
  const { descriptor, start, length } = slice;
  for (let sent = 0; sent < length;) {
    const chunk = Buffer.allocUnsafe(Math.min(readBytes, length - sent));
    const { bytesRead } = await readAt(descriptor, chunk, 0, chunk.length, start + sent);
    // The file was cut below the server: the client must see a broken answer, not a short one.
    if (bytesRead === 0) throw new Error("the stored file is shorter than recorded");
    sent += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Reads a slice in chunks. */
export async function* readSlice(slice: FileSlice): AsyncGenerator<Buffer> {
  using open = openSlice(slice);
  yield* readOpenSlice(open);
}
