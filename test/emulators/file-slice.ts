import { createReadStream } from "node:fs";

/** A byte range of a stored file. */
export interface FileSlice {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

const readBytes = 1024 * 1024;

/** Reads a slice in chunks; nothing where there is none. */
export async function* readSlice(slice: FileSlice | undefined): AsyncGenerator<Buffer> {
  if (slice === undefined || slice.length === 0) return;
  const { path, start, length } = slice;
  let sent = 0;
  for await (const chunk of createReadStream(path, { start, end: start + length - 1, highWaterMark: readBytes })) {
    // A stream without an encoding yields Buffers; node types them as any.
    const bytes = chunk as Buffer;
    sent += bytes.length;
    yield bytes;
  }
  // The file was cut below the server: the client must see a broken answer, not a short one.
  if (sent !== length) throw new Error("the stored file is shorter than recorded");
}
