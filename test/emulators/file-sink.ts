import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** Takes the bytes of a body as they come. */
export interface Sink {
  write(chunk: Buffer): Promise<void>;
}

// The network yields chunks of at most 64 KiB; one write of many costs a fraction of many writes.
const batchBytes = 1024 * 1024;

/** Writes a body into a file, from a position on. */
export class FileSink implements Sink {
  readonly #file: FileHandle;
  #position: number;
  #batch: Buffer[] = [];
  #batched = 0;

  private constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** Opens the file, creating it where needed, without truncating it. */
  static async open(path: string, position = 0): Promise<FileSink> {
    const create = 0o102; // O_RDWR | O_CREAT: parts of one upload write into one file at the same time.
    return new FileSink(await open(path, create), position);
  }

  async write(chunk: Buffer): Promise<void> {
    this.#batch.push(chunk);
    this.#batched += chunk.length;
    if (this.#batched >= batchBytes) await this.#flush();
  }

  /** Writes what is left and closes. */
  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  /** Closes without writing what is left. */
  async discard(): Promise<void> {
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    const size = this.#batched;
    this.#batch = [];
    this.#batched = 0;
    if (size === 0) return;
    const { bytesWritten } = await this.#file.writev(batch, this.#position);
    // A short write means that the disk is full; the next one would say so, but there may be none.
    if (bytesWritten !== size) throw new Error(`wrote ${bytesWritten} of ${size} bytes`);
    this.#position += size;
  }
}

/** Fills a sink; closes it when that worked and discards what is left otherwise. */
export async function fillSink<T>(sink: FileSink, fill: (sink: FileSink) => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await fill(sink);
  } catch (cause) {
    await sink.discard();
    throw cause;
  }
  await sink.close();
  return result;
}
