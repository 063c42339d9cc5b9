import { localError } from "@flotilla/sdk/network";
import { readBlocks } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";
import type { HttpAnswer } from "./transport.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody({ body }: HttpAnswer, attempt: Attempt, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return readBlocks(body, {
    translate: (error) => (signal.aborted ? PluginError.from(signal.reason) : localError(error, attempt)),
  });
}
