import { setTimeout as delay } from "node:timers/promises";

// Far more than anything takes: what it waits for may share two cores with other tests.
const usualPatienceMs = 120_000;
const pauseMs = 20;

/** Waits until the condition holds; fails when it does not within that time, two minutes unless told. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = usualPatienceMs,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain until ${what}`);
    await delay(pauseMs);
  }
}
