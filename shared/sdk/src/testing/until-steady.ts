import { setTimeout as delay } from "node:timers/promises";

const pauseMs = 100;
const steadyLooks = 8;

/**
 * Looks until the number has stayed the same for a while, which a machine that is busy may take long to reach, and
 * answers it; or at once where it is above the limit, which something that grows for ever reaches.
 */
export async function untilSteady(look: () => number, limit: number): Promise<number> {
  let [last, same] = [look(), 0];
  while (same < steadyLooks && last <= limit) {
    await delay(pauseMs);
    const next = look();
    same = next === last ? same + 1 : 0;
    last = next;
  }
  return last;
}
