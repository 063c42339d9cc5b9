import { advice, failure, isKind, ok } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

/** Tries a removal, and reports how it went: a store that only takes is one to back up to on purpose. */
export async function checkRemoval(subject: string, detail: string, remove: () => Promise<void>): Promise<Finding> {
  try {
    await remove();
    return ok(subject, detail);
  } catch (error) {
    if (!isKind(error, "denied")) return failure(subject, error);
    return advice(
      subject,
      `nothing can be removed, so that what is deleted is only marked as deleted (${failure(subject, error).detail})`,
      "nothing, where the store is append-only on purpose; otherwise let the location's credentials delete there",
    );
  }
}
