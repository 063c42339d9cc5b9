import { backoffMs, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock } from "@flotilla/sdk/plugin";

/** A snapshot or copy that is asked for, in a request that must not have its effect twice. */
export interface RequestedSnapshot {
  /** For the log: what is made, of what. */
  readonly what: string;
  /** One try. */
  readonly request: () => Promise<string>;
  /** What an earlier try made, whose answer was lost. */
  readonly find: () => Promise<string | undefined>;
  /** Whether the service refused, so that there is nothing to find and whoever asked decides what comes next. */
  readonly isRefusal?: (error: PluginError) => boolean;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const maxTries = 5;
const backoff = { baseMs: 1000, maxMs: 8000 };

/** Asks until it is there and answers its id: before each further try, a lost answer's snapshot is looked for. */
export async function requestSnapshot(snapshot: RequestedSnapshot, call: Call): Promise<string> {
  const { what, request, find, isRefusal = () => false, clock, random } = snapshot;
  for (let tries = 1; ; tries += 1) {
    try {
      const found = tries === 1 ? undefined : await find();
      return found ?? (await request());
    } catch (error) {
      const mayPass = error instanceof PluginError && (error.kind === "unavailable" || error.kind === "timeout");
      if (!mayPass || isRefusal(error) || call.signal.aborted || tries >= maxTries) throw error;
      call.log.info(`${what} is requested again`, { attempt: tries, reason: error.message });
    }
    await clock.sleep(backoffMs(tries, backoff, random), call.signal);
  }
}
