import { createCipheriv, createHash } from "node:crypto";

/** Incompressible bytes that anybody who knows the seed can make again. */
export function bodyOf(seed: string, sizeBytes: number): Buffer {
  return streamOf(seed)(sizeBytes);
}

/** The same bytes piece by piece, so that a large body is never held. */
export async function* bodyStream(
  seed: string,
  sizeBytes: number,
  pieceBytes = 1024 ** 2,
): AsyncGenerator<Uint8Array, void, undefined> {
  const next = streamOf(seed);
  for (let left = sizeBytes; left > 0; left -= pieceBytes) yield next(Math.min(left, pieceBytes));
}

/** Compares a stream with the body of a seed as it arrives; answers what differs, or undefined. */
export async function differsFromBody(
  stream: AsyncIterable<Uint8Array>,
  seed: string,
  sizeBytes: number,
): Promise<string | undefined> {
  const next = streamOf(seed);
  let seen = 0;
  for await (const chunk of stream) {
    if (seen + chunk.length > sizeBytes) return `more than ${sizeBytes} bytes came`;
    if (Buffer.compare(next(chunk.length), chunk) !== 0)
      return `a byte between ${seen} and ${seen + chunk.length} is another`;
    seen += chunk.length;
  }
  return seen === sizeBytes ? undefined : `${seen} of ${sizeBytes} bytes came`;
}

function streamOf(seed: string): (sizeBytes: number) => Buffer {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (sizeBytes) => cipher.update(Buffer.alloc(sizeBytes));
}
