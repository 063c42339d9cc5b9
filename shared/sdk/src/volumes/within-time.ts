import { PluginError } from "../plugin/index.ts";
import type { Call, Clock } from "../plugin/index.ts";

/** How long work may take. */
export interface WithinTimeOptions {
  /** Completes "waiting for …". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

// A request at the end of the time may still be answered: it tells whether the resource came into being.
const graceMs = 5000;

/** Runs work with a call that is aborted some time after its end was due: a hanging request must not outlast it. */
export async function withinTime<T>(
  { what, timeoutMs, clock }: WithinTimeOptions,
  call: Call,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const overdue = new AbortController();
  const timer = clock.timer(timeoutMs + graceMs, () => {
    const text = `waiting for ${what}: no answer within ${Math.round(timeoutMs / 1000)} s; check the endpoint and the network`;
    overdue.abort(new PluginError(text, { kind: "timeout" }));
  });
  try {
    return await work({ log: call.log, signal: AbortSignal.any([call.signal, overdue.signal]) });
  } finally {
    timer.cancel();
  }
}
