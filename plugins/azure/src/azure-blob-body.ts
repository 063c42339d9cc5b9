import { networkError } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody(
  body: NodeJS.ReadableStream | undefined,
  attempt: Attempt,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  // The SDK declares less than Node's streams are: an async iterable of buffers.
  const source = (body ?? noBytes()) as AsyncIterable<Uint8Array>;
  return { [Symbol.asyncIterator]: () => translated(source[Symbol.asyncIterator](), attempt, signal) };
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
        // Whatever the SDK calls it, a body that was answered can only break off.
        throw (
          networkError(error, attempt) ??
          new PluginError(`${attempt.action}: the connection was cut within the answer`, {
            kind: "unavailable",
            cause: error,
          })
        );
      }
    },
    return: async () => {
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // An answer without a body is that of an empty object.
}
