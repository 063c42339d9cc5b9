import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";
import type { GcsSession } from "./gcs-session.ts";

/**
 * Why a read was refused. Of an object's bytes the store refuses to say more than a sentence; of its metadata it tells a
 * reason, and whether the object has a key of its own.
 */
export async function explainRefusal(
  refusal: unknown,
  session: GcsSession,
  key: string,
  customerKey: Readonly<Record<string, string>>,
  attempt: Attempt,
  call: Call,
): Promise<unknown> {
  if (!isKind(refusal, "invalid-argument")) return refusal;
  const url = session.objectUrl(key, { fields: "customerEncryption" });
  let metadata: Readonly<Record<string, unknown>>;
  try {
    metadata = await session.api.json({ method: "GET", url, headers: customerKey }, attempt, call);
  } catch (error) {
    return isKind(error, "invalid-config") || isKind(error, "denied") ? error : refusal;
  }
  if (metadata["customerEncryption"] === undefined) return refusal;
  return new PluginError(
    `${attempt.action}: the object is encrypted with a customer-supplied key; give the location the customerKeyEncryption key that the object was written with`,
    { kind: "invalid-config", code: refusal.code, requestId: refusal.requestId, cause: refusal },
  );
}
