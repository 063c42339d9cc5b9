/** The content of a block. One block is one message to the host: measured, 16 KiB reach half of its throughput. */
export const blockBytes = 256 * 1024;

/** Free bytes before the content: the header with which the wire sends it goes there, so that no copy is needed. */
const headroomBytes = 16;

/** Enough for the segments that one large download lets go at once. */
const maxIdleBlocks = 32;

const idle: ArrayBuffer[] = [];
const taken = new WeakSet<ArrayBuffer>();

/**
 * A block with arbitrary content, to fill and to hand out whole or cut at its end. Fast bodies travel in blocks, which
 * are used again: fresh memory at that rate would keep the garbage collector busy. One that never comes back is garbage
 * like any other.
 */
export function takeBlock(): Buffer<ArrayBuffer> {
  const memory = idle.pop() ?? Buffer.allocUnsafeSlow(headroomBytes + blockBytes).buffer;
  taken.add(memory);
  return Buffer.from(memory, headroomBytes, blockBytes);
}

/** Whether a chunk is a block, or the beginning of one. */
export function isBlock(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = chunk;
  return byteOffset === headroomBytes && buffer instanceof ArrayBuffer && taken.has(buffer);
}

/**
 * Gives a block back, for the next who takes one. Nobody may read or write it afterwards: only its last reader can say
 * so, and only once. Does nothing for other chunks.
 */
export function giveBlock({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || !taken.delete(buffer)) return;
  if (idle.length < maxIdleBlocks) idle.push(buffer);
  // At once, not when the garbage collector comes by.
  else buffer.transfer(0);
}
