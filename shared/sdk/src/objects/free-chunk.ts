/** Smaller ones share a slab with others, or are not worth the call. */
const minBytes = 4096;

/**
 * Gives the memory of a chunk that nobody reads any more back at once. Left to the garbage collector, the network's
 * buffers of a fast download pile up to tens of MiB and make it run far more often than the few objects around them need.
 *
 * Only a chunk that is the whole of its buffer is freed: another slice of it may belong to somebody else.
 */
export function freeChunk({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < minBytes || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
