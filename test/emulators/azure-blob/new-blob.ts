import { BlobError } from "./blob-error.ts";
import { unversioned } from "./blob-meta.ts";
import type { BlobMeta, BlobSettings } from "./blob-meta.ts";
import { httpDate, versionHeaders } from "./blob-settings.ts";
import type { Call } from "./call.ts";
import type { Container } from "./container.ts";
import { encryptionHeaders } from "./encryption.ts";
import { newEtag } from "./state.ts";

/** Completes what is known of a new blob with version, time and ETag. */
export function newBlob(
  call: Call,
  container: Container,
  content: BlobSettings & Pick<BlobMeta, "size" | "blocks" | "copy"> & { readonly name: string },
): BlobMeta {
  const { name, ...rest } = content;
  const now = call.now.toISOString();
  const existing = container.current(name);
  return {
    ...rest,
    key: name,
    versionId: call.account.isVersioned === true ? call.state.nextTimestamp(call.now) : unversioned,
    sequence: call.state.nextSequence(),
    etag: newEtag(),
    created: existing?.created ?? now,
    lastModified: now,
  };
}

/** Refuses to replace a blob that is protected, is still being copied, or that the caller may only create. */
export function checkOverwrite(call: Call, existing: BlobMeta | undefined): void {
  if (existing === undefined) return;
  const { authorization } = call;
  if (authorization.kind === "sas" && !authorization.permissions.has("w")) {
    throw new BlobError("UnauthorizedBlobOverwrite");
  }
  if (existing.copy?.status === "pending") throw new BlobError("PendingCopyOperation");
  if (existing.rehydration !== undefined) throw new BlobError("BlobBeingRehydrated");
  // With versions the protected one stays as it is and a new one comes beside it.
  if (call.account.isVersioned !== true) checkMutable(existing, call.now);
}

/** Refuses a change of a version that is protected. */
export function checkMutable(meta: BlobMeta, now: Date): void {
  if (meta.hasLegalHold === true) throw new BlobError("BlobImmutableDueToLegalHold");
  if (meta.immutability !== undefined && Date.parse(meta.immutability.until) > now.getTime()) {
    throw new BlobError("BlobImmutableDueToPolicy");
  }
}

/** Returns the headers that answer a write. */
export function writtenHeaders(meta: BlobMeta): Record<string, string | undefined> {
  return {
    etag: meta.etag,
    "last-modified": httpDate(meta.lastModified),
    "x-ms-request-server-encrypted": "true",
    ...encryptionHeaders(meta.encryption),
    ...versionHeaders(meta, false),
  };
}
