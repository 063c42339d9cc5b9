import { giveBlock, isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

/** The server abandons gets without saying so; a restic with its memory must not wait for such a reader. */
const readerAwayMs = 60_000;

/**
 * Streams what a source writes, and ends the source while its reader is away for long. For one who comes back it begins
 * anew, and leaves out what he has: the source must say the same each time. It begins anew once where the source fails,
 * too: a prune by others moves what a restic without a lock is about to read.
 */
export async function* whileRead(
  open: (call: Call) => AsyncIterable<Uint8Array>,
  call: Call,
  awayMs: number = readerAwayMs,
): AsyncGenerator<Uint8Array, void, void> {
  let deliveredBytes = 0;
  let mayFail = true;
  for (;;) {
    const away = new AbortController();
    let skippedBytes = deliveredBytes;
    try {
      for await (const chunk of open({ ...call, signal: AbortSignal.any([call.signal, away.signal]) })) {
        const known = Math.min(skippedBytes, chunk.byteLength);
        skippedBytes -= known;
        const fresh = chunk.subarray(known);
        // Its reader may give its memory back, and then it has no length any more.
        const freshBytes = fresh.byteLength;
        if (freshBytes === 0) {
          giveBlock(chunk);
          continue;
        }
        const timer = setTimeout(() => away.abort(), awayMs);
        timer.unref();
        yield fresh;
        clearTimeout(timer);
        deliveredBytes += freshBytes;
        if (away.signal.aborted) break;
      }
      if (!away.signal.aborted) return;
    } catch (error) {
      if (call.signal.aborted) throw error;
      if (away.signal.aborted) continue;
      if (!mayFail || !isWorthAnother(error)) throw error;
      mayFail = false;
    }
  }
}

function isWorthAnother(error: unknown): boolean {
  return (["corrupt", "unavailable", "internal"] as const).some((kind) => isKind(error, kind));
}
