type Body = AsyncIterable<Uint8Array>;

/** The body without its last chunk. */
export async function* withoutLast(body: Body): Body {
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
    if (held !== undefined) yield held;
    held = Uint8Array.from(chunk);
  }
}

/** The body in one piece of memory, which every chunk overwrites. */
export async function* reusing(body: Body): Body {
  const chunks: Uint8Array[] = [];
  const memory = Buffer.alloc(16_384);
  for await (const chunk of body) {
    memory.set(chunk);
    chunks.push(memory.subarray(0, chunk.length));
  }
  yield* chunks;
}

/** The whole body. */
export async function collect(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Bytes as the body of a put. */
export async function* bodyOf(bytes: Uint8Array): Body {
  yield await Promise.resolve(bytes);
}
