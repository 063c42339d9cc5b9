import { PluginError } from "../plugin/index.ts";
import type { Call, LogFields } from "../plugin/index.ts";
import type { ObjectPlace } from "./copy-place.ts";

/** How a failure is told. */
export interface CopyWords {
  /** What was done, and what holds now: the text before the names of the places that failed. */
  readonly failed: string;
  /** For a copy without which the call succeeds. */
  readonly warning: string;
  readonly fields: LogFields;
}

const remedy =
  "mend that place; or give its target mode=best-effort, or take it out of the location's copyTo, until it is mended";

/**
 * Does something with each copy, all at once, since there are few. What fails for a required one is thrown after all have
 * ended; what fails for another is a warning.
 */
export async function onEachCopy(
  copies: readonly ObjectPlace[],
  call: Call,
  words: CopyWords,
  work: (place: ObjectPlace) => Promise<void>,
): Promise<void> {
  const tried = copies.map(async (place) => {
    try {
      await work(place);
      return undefined;
    } catch (error) {
      return { place, error: PluginError.from(error) };
    }
  });
  const failures = (await Promise.all(tried)).filter((failure) => failure !== undefined);
  if (failures.length > 0) call.signal.throwIfAborted();
  for (const { place, error } of failures.filter((failure) => failure.place.mode === "best-effort"))
    call.log.warn(words.warning, { ...words.fields, copy: place.name, reason: error.message });
  const [first, ...others] = failures.filter((failure) => failure.place.mode === "required");
  if (first === undefined) return;
  const texts = [first, ...others].map(({ place, error }) => `${place.name}: ${error.message}`);
  throw new PluginError(`${words.failed} ${texts.join("; ")}; ${remedy}`, {
    // Whatever is absent there, the location's own object is not.
    kind: first.error.kind === "not-found" ? "conflict" : first.error.kind,
    code: first.error.code,
    requestId: first.error.requestId,
    cause: first.error,
  });
}
