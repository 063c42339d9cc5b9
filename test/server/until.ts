import { setTimeout as delay } from "node:timers/promises";

/** How to wait. */
interface Patience {
  /** Default: two minutes. */
  readonly timeoutMs?: number;
  /** Told when the time is up: what there was instead. */
  readonly instead?: () => string | Promise<string>;
}

/** Waits until the condition holds; fails when it does not within its time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 120_000, instead }: Patience = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      const seen = instead === undefined ? "" : `; there was: ${await instead()}`;
      throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}${seen}`);
    }
    await delay(200);
  }
}
