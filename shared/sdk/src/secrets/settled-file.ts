import { readFile, stat } from "node:fs/promises";
import { systemClock } from "../plugin/index.ts";
import type { Clock } from "../plugin/index.ts";

/** How a file that is being written is told from a finished one. */
export interface SettledFileOptions {
  /** Whether the text still lacks something that its writer is about to add. Asked about every text that was read. */
  readonly isUnfinished: (text: string, ageMs: number) => boolean | Promise<boolean>;
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

// The server truncates and rewrites the file on every use, without a lock; it is done within milliseconds.
const rereadDelaysMs = [2, 8, 20, 50, 120, 300, 700, 800];
const justWrittenMs = 100;

/** An age below which a file that lacks something may still get it. */
export const recentlyWrittenMs = 10_000;

/**
 * Reads a text file that the server may be writing at this very moment. One that is unfinished, or changed while it was
 * looked at, is read again for two seconds; what is there then is the text.
 */
export async function readSettledFile(path: string, options: SettledFileOptions): Promise<string> {
  const clock = options.clock ?? systemClock;
  let previous: string | undefined;
  for (let round = 0; ; round += 1) {
    const text = await readFile(path, "utf8");
    const ageMs = Math.abs(Date.now() - (await stat(path)).mtimeMs);
    const isUnfinished = await options.isUnfinished(text, ageMs);
    const isSettled = ageMs > justWrittenMs || text === previous;
    const delayMs = rereadDelaysMs[round];
    if ((isSettled && !isUnfinished) || delayMs === undefined) return text;
    previous = text;
    await clock.sleep(delayMs, options.signal);
  }
}
