/** Bytes that look random, do not repeat within a part, and are the same for the same seed. */
export function sampleBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < sizeBytes; index += 1) {
    // Xorshift: cheap, and good enough to tell one place from another.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

/** A stream of these bytes that reuses one buffer for all chunks: harsher than the contract, so that every early reuse shows. */
export async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(chunkBytes);
  for (let start = 0; start < bytes.byteLength; start += chunkBytes) {
    const taken = bytes.subarray(start, start + chunkBytes);
    buffer.set(taken);
    yield buffer.subarray(0, taken.byteLength);
  }
}

/** Everything that a stream yields, in one piece. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
