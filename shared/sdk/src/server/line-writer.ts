import { writeSync } from "node:fs";

/** How long a line waits for a reader that does not read, before it is given up. */
const patienceMs = 100;

/**
 * Writes lines to a file descriptor synchronously, so that the last words of a dying process arrive. Never throws: a
 * reader that is gone silences it, one that is stuck costs the line, never the plugin.
 */
export class LineWriter {
  readonly #fd: number;
  #rest: Uint8Array = new Uint8Array(0);
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#isClosed || !this.#flush(this.#rest)) return;
    this.#flush(Buffer.from(`${line}\n`));
  }

  /** Whether all was written. A line that got stuck half-way is finished before the next one, so no two run together. */
  #flush(bytes: Uint8Array): boolean {
    const giveUpAt = performance.now() + patienceMs;
    let offset = 0;
    while (offset < bytes.length) {
      const written = this.#tryWrite(bytes, offset);
      offset += written;
      if (this.#isClosed) return false;
      if (written > 0) continue;
      if (performance.now() > giveUpAt) {
        this.#rest = offset > 0 || bytes === this.#rest ? bytes.subarray(offset) : new Uint8Array(0);
        return false;
      }
      // The descriptor is a pipe that someone made non-blocking and that is full: let the reader run.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
    this.#rest = new Uint8Array(0);
    return true;
  }

  #tryWrite(bytes: Uint8Array, offset: number): number {
    try {
      return writeSync(this.#fd, bytes, offset);
    } catch (error) {
      // Anything but "full for now" (EPIPE, EBADF, EIO) means that nobody reads any more: there is nowhere to report it.
      const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
      this.#isClosed = !isFull;
      return 0;
    }
  }
}
