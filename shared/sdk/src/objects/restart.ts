import { isKind, PluginError } from "../plugin/index.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";

/** Enough for an object that is being replaced; a damaged one is damaged at the second reading as well. */
const maxRestarts = 2;

/** Does something as a whole again when the object changed under it, or arrived damaged. `work` is told its last try. */
export async function withRestarts<T>(
  object: ObjectRef,
  call: Call,
  work: (isLast: boolean) => Promise<T>,
): Promise<T> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await work(restarts === maxRestarts);
    } catch (error) {
      if (!isWorthRestarting(error) || restarts >= maxRestarts || call.signal.aborted) throw error;
      call.log.info("starting again with the object", { ...object, reason: PluginError.from(error).message });
    }
  }
}

/**
 * Reads from the beginning again when the object changed, or arrived damaged, before the reader has seen a byte of it.
 * Afterwards the error stands: two versions must never be mixed.
 */
export async function* restarting(
  object: ObjectRef,
  call: Call,
  read: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  for (let restarts = 0; ; restarts += 1) {
    let hasYielded = false;
    try {
      for await (const chunk of read()) {
        hasYielded = true;
        yield chunk;
      }
      return;
    } catch (error) {
      const isFinal = hasYielded || !isWorthRestarting(error) || restarts >= maxRestarts || call.signal.aborted;
      if (isFinal) throw PluginError.from(error);
      call.log.info("reading the object from its beginning again", {
        ...object,
        reason: PluginError.from(error).message,
      });
    }
  }
}

function isWorthRestarting(error: unknown): error is PluginError {
  return isKind(error, "conflict") || isKind(error, "corrupt");
}
