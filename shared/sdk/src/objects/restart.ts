import { isKind, PluginError } from "../plugin/index.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";

/** Enough for an object that is being replaced; a damaged one is damaged at the second reading as well. */
const maxRestarts = 2;

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
      const isWorthwhile = isKind(error, "conflict") || isKind(error, "corrupt");
      if (hasYielded || !isWorthwhile || restarts >= maxRestarts || call.signal.aborted) throw PluginError.from(error);
      call.log.info("reading the object from its beginning again", { ...object, reason: error.message });
    }
  }
}
