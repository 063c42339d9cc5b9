import { tryCopy } from "@flotilla/sdk/objects";
import type { CopyEnd } from "@flotilla/sdk/objects";
import { advice, failure, isKind } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";

/** Whether the target's store copies a small object of the location. */
export async function checkCopy(own: CopyEnd, target: CopyEnd, call: Call): Promise<Finding> {
  try {
    return await tryCopy(own, target, call);
  } catch (error) {
    if (!isKind(error, "unsupported")) return failure("copy", error);
    const { detail, remedy } = failure("copy", error);
    return advice("copy", `the bytes of copies pass through the plugin: ${detail}`, remedy);
  }
}
