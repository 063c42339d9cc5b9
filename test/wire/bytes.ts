import { createCipheriv, createHash } from "node:crypto";

import { PluginError } from "@flotilla/sdk/plugin";

/** One mebibyte. */
export const mebibyte = 1024 ** 2;

/** Bytes that do not compress, the same for the same seed. */
export function bytesOf(sizeBytes: number, seed: string): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** Streams bytes in chunks of the size that the server reads its files with. */
export async function* inChunks(bytes: Uint8Array, chunkBytes = 16 * 1024): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}

/** Reads a stream of bytes to its end. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collectAll(stream));
}

/** Reads a stream of anything to its end. */
export async function collectAll<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Reads a stream that must fail; answers its error and how many bytes came before. */
export async function readUntilError(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ readonly error: PluginError; readonly receivedBytes: number }> {
  let receivedBytes = 0;
  try {
    for await (const chunk of stream) receivedBytes += chunk.length;
  } catch (error) {
    return { error: PluginError.from(error), receivedBytes };
  }
  throw new Error(`the stream ended cleanly after ${receivedBytes} bytes`);
}

/** The error with which a promise is rejected. */
export async function failureOf(promise: Promise<unknown>): Promise<PluginError> {
  let answer: unknown;
  try {
    answer = await promise;
  } catch (error) {
    return PluginError.from(error);
  }
  throw new Error(`succeeded with ${JSON.stringify(answer)}`);
}
