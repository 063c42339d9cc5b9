import type { OnReadOpts, Socket } from "node:net";

/** Node's own reads take 64 KiB. A fast connection has more at hand, and each read costs a turn through the process. */
const readBytes = 256 * 1024;

/**
 * Lets all connections of the process read into the same memory, where Node makes new memory for each read. They may,
 * because nobody keeps a read: Node's HTTP parser copies what it hands on of it, within the same event.
 */
export const readIntoOneBuffer: OnReadOpts = {
  buffer: Buffer.allocUnsafeSlow(readBytes),
  callback(this: Socket, length: number, buffer: Uint8Array): boolean {
    this.emit("data", Buffer.from(buffer.buffer, buffer.byteOffset, length));
    return true;
  },
};
