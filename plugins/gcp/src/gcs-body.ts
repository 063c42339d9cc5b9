import { localError } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";
import type { HttpAnswer } from "./transport.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody({ body }: HttpAnswer, attempt: Attempt, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => translated(body[Symbol.asyncIterator](), attempt, signal) };
}

function translated(
  source: AsyncIterator<Uint8Array>,
  attempt: Attempt,
  signal: AbortSignal,
): AsyncIterator<Uint8Array> {
  return {
    next: async () => {
      try {
        return await source.next();
      } catch (error) {
        if (signal.aborted) throw PluginError.from(signal.reason);
        throw localError(error, attempt);
      }
    },
    return: async () => {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}
