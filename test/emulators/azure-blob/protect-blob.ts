import { BlobError } from "./blob-error.ts";
import { httpDate, readImmutability, readLegalHold } from "./blob-settings.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { findBlob } from "./find-blob.ts";

/** Set Blob Immutability Policy; a locked one can only be made longer. */
export async function setBlobImmutabilityPolicy(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const found = await findBlob(call, container, blobNameOf(call), call.query);
  const wanted = readImmutability(call, container);
  if (wanted === undefined) {
    throw new BlobError("MissingRequiredHeader", { HeaderName: "x-ms-immutability-policy-until-date" });
  }
  checkWriteConditions(call.headers, found.meta);
  const before = found.meta.immutability;
  const isShorter = before !== undefined && Date.parse(wanted.until) < Date.parse(before.until);
  if (before?.mode === "Locked" && (isShorter || wanted.mode === "Unlocked")) {
    throw new BlobError("BlobImmutableDueToPolicy");
  }
  found.update({ immutability: wanted });
  return {
    headers: {
      "x-ms-immutability-policy-until-date": httpDate(wanted.until),
      "x-ms-immutability-policy-mode": wanted.mode.toLowerCase(),
    },
  };
}

/** Delete Blob Immutability Policy. */
export async function deleteBlobImmutabilityPolicy(call: Call): Promise<Answer> {
  const found = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  const { immutability } = found.meta;
  const isInForce = immutability !== undefined && Date.parse(immutability.until) > call.now.getTime();
  if (immutability?.mode === "Locked" && isInForce) throw new BlobError("ImmutabilityPolicyDeleteOnLockedPolicy");
  found.update({ immutability: undefined });
  return {};
}

/** Set Blob Legal Hold. */
export async function setBlobLegalHold(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const found = await findBlob(call, container, blobNameOf(call), call.query);
  const hasLegalHold = readLegalHold(call, container);
  if (hasLegalHold === undefined) throw new BlobError("MissingRequiredHeader", { HeaderName: "x-ms-legal-hold" });
  found.update({ hasLegalHold });
  return { headers: { "x-ms-legal-hold": String(hasLegalHold) } };
}
