import type { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { readBlocks } from "@flotilla/sdk/objects";
import { translateS3Error } from "./errors.ts";
import type { Attempt } from "./errors.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody(
  answer: GetObjectCommandOutput,
  attempt: Attempt,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  // In Node the SDK's body is the HTTP response itself.
  const body = answer.Body as unknown as Readable | undefined;
  if (body === undefined) return noBytes();
  return readBlocks(body, { translate: (error) => translateS3Error(error, { ...attempt, signal }) });
}

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // An answer without a body is that of an empty object.
}
