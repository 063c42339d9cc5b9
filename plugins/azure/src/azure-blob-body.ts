import type { Readable } from "node:stream";
import { networkError } from "@flotilla/sdk/network";
import { readBlocks } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody(
  body: NodeJS.ReadableStream | undefined,
  attempt: Attempt,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (body === undefined) return noBytes();
  // The SDK declares less than its stream is.
  return readBlocks(body as Readable, { translate: (error) => translate(error, attempt, signal) });
}

function translate(error: unknown, attempt: Attempt, signal: AbortSignal): PluginError {
  if (signal.aborted) return PluginError.from(signal.reason);
  // Whatever the SDK calls it, a body that was answered can only break off.
  return (
    networkError(error, attempt) ??
    new PluginError(`${attempt.action}: the connection was cut within the answer`, {
      kind: "unavailable",
      cause: error,
    })
  );
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // An answer without a body is that of an empty object.
}
