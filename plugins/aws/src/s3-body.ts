import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { translateS3Error } from "./errors.ts";
import type { Attempt } from "./errors.ts";

/** The body of an answer; leaving the iteration closes the connection, a cut connection is a PluginError. */
export function readBody(
  answer: GetObjectCommandOutput,
  attempt: Attempt,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  // In Node the SDK's body is the HTTP response itself, an async iterable of buffers.
  const body = answer.Body as unknown as AsyncIterable<Uint8Array> | undefined;
  return {
    [Symbol.asyncIterator]: () => translated((body ?? noBytes())[Symbol.asyncIterator](), { ...attempt, signal }),
  };
}

function translated(source: AsyncIterator<Uint8Array>, attempt: Attempt): AsyncIterator<Uint8Array> {
  return {
    next: async () => {
      try {
        return await source.next();
      } catch (error) {
        throw translateS3Error(error, attempt);
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
