import { setTimeout as delay } from "node:timers/promises";

const pauseMs = 20;

/** Waits until the condition holds; fails when it does not within that time, half a minute unless told. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain until ${what}`);
    await delay(pauseMs);
  }
}
