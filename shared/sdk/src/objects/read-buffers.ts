import { IncomingMessage } from "node:http";
import { freeChunk } from "./free-chunk.ts";
import type { Readable } from "node:stream";

/**
 * Frees the buffers into which the connection of an answer reads, as long as its body is read: Node's parser copies out
 * of them what it hands on and leaves them to the garbage collector. Each is freed when the next one has come, since it is
 * in use while its own event goes on. Does nothing for other sources. Call what comes back at the end of the body.
 */
export function freeReadBuffers(source: Readable): () => void {
  if (!(source instanceof IncomingMessage)) return () => undefined;
  const { socket } = source;
  let spent: Uint8Array | undefined;
  const onData = (chunk: Uint8Array): void => {
    if (spent !== undefined) freeChunk(spent);
    spent = chunk;
  };
  socket.on("data", onData);
  return () => void socket.off("data", onData);
}
