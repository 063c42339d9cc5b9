import type { CopyStatus } from "@flotilla/sdk/volumes";

import { until } from "./until.ts";

// A storm of throttles is outlasted in real time, which a loaded machine stretches.
const stormMs = 150_000;

/** Runs rounds of copies until each copy is complete or has failed, and answers how they stand then. */
export async function untilSettled(round: () => Promise<readonly CopyStatus[]>): Promise<readonly CopyStatus[]> {
  let statuses: readonly CopyStatus[] = [];
  await until(
    "all copies are complete or have failed",
    async () => {
      statuses = await round();
      return statuses.every(({ state }) => state === "completed" || state === "failed");
    },
    stormMs,
  );
  return statuses;
}
