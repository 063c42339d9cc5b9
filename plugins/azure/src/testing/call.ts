import { silentLogger } from "@flotilla/sdk/plugin";
import type { Call, OpenContext } from "@flotilla/sdk/plugin";

/** A call that nobody cancels and nobody listens to. */
export const quietCall: Call = { log: silentLogger, signal: new AbortController().signal };

/** A context with nothing in the environment but what the test says. */
export function contextWith(env: Readonly<Record<string, string>> = {}): OpenContext {
  return { log: silentLogger, env, signal: quietCall.signal };
}
