import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { BlobError } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { httpDate, readContentHeaders, readTier, versionHeaders } from "./blob-settings.ts";
import { receiveDocument } from "./body.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkReadConditions, checkWriteConditions } from "./conditions.ts";
import { checkCustomerKey, encryptionHeaders } from "./encryption.ts";
import { findBlob } from "./find-blob.ts";
import type { FoundBlob } from "./find-blob.ts";
import { readMetadata } from "./metadata.ts";
import { checkMutable } from "./new-blob.ts";
import { newEtag } from "./state.ts";
import { readTagDocument, writeTagDocument } from "./tags.ts";

/** Set Blob Metadata. */
export async function setBlobMetadata(call: Call): Promise<Answer> {
  const found = await findToChange(call);
  checkCustomerKey(call, found.meta.encryption);
  const changes = change(call, { metadata: readMetadata(call.request) });
  const meta =
    call.account.isVersioned === true ? await addVersion(call, found, changes) : { ...found.meta, ...changes };
  if (meta.versionId === found.meta.versionId) found.update(changes);
  return { headers: { ...changedHeaders(meta), ...encryptionHeaders(meta.encryption) } };
}

/** Set Blob Properties: what the request leaves out is cleared. */
export async function setBlobProperties(call: Call): Promise<Answer> {
  const found = await findToChange(call);
  const type = call.headers.get("x-ms-blob-content-type");
  const headers = { ...readContentHeaders(call, true), ...(type === undefined ? {} : { "content-type": type }) };
  const changes = change(call, { headers });
  found.update(changes);
  return { headers: changedHeaders({ ...found.meta, ...changes }) };
}

/** Set Blob Tier. */
export async function setBlobTier(call: Call): Promise<Answer> {
  const found = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  const tier = readTier(call);
  if (tier === undefined) throw new BlobError("MissingRequiredHeader", { HeaderName: "x-ms-access-tier" });
  if (found.meta.rehydration !== undefined && tier === "Archive") throw new BlobError("BlobBeingRehydrated");
  const tierChanged = call.now.toISOString();
  if (found.meta.tier !== "Archive" || tier === "Archive") {
    found.update({ tier, isTierInferred: false, tierChanged });
    return {};
  }
  const completes = new Date(call.now.getTime() + call.state.settings.rehydrateMs).toISOString();
  found.update({ rehydration: { tier, completes }, isTierInferred: false, tierChanged });
  return { status: 202 };
}

/** Get Blob Tags. */
export async function getBlobTags(call: Call): Promise<Answer> {
  const { meta } = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  checkReadConditions(call.headers, meta);
  return { body: writeTagDocument(meta.tags) };
}

/** Set Blob Tags; neither the ETag nor the time changes. */
export async function setBlobTags(call: Call): Promise<Answer> {
  const tags = readTagDocument((await receiveDocument(call)).text);
  const found = await findBlob(call, containerOf(call), blobNameOf(call), call.query);
  checkWriteConditions(call.headers, found.meta);
  found.update({ tags });
  return { status: 204 };
}

async function findToChange(call: Call): Promise<FoundBlob> {
  const found = await findBlob(call, containerOf(call), blobNameOf(call), new Map());
  checkWriteConditions(call.headers, found.meta);
  if (call.account.isVersioned !== true) checkMutable(found.meta, call.now);
  return found;
}

// Metadata belong to a version: with versions the old ones stay with the bytes that they described.
async function addVersion(call: Call, found: FoundBlob, changes: Partial<BlobMeta>): Promise<BlobMeta> {
  return await call.state.withStaging(async (folder) => {
    await copyFile(found.path, join(folder, "data"));
    const versionId = call.state.nextTimestamp(call.now);
    const meta = { ...found.meta, ...changes, versionId, sequence: call.state.nextSequence() };
    containerOf(call).publish(meta, folder);
    return meta;
  });
}

function change(call: Call, changes: Partial<BlobMeta>): Partial<BlobMeta> {
  return { ...changes, etag: newEtag(), lastModified: call.now.toISOString() };
}

function changedHeaders(meta: BlobMeta): Record<string, string | undefined> {
  return {
    etag: meta.etag,
    "last-modified": httpDate(meta.lastModified),
    "x-ms-request-server-encrypted": "true",
    ...versionHeaders(meta, false),
  };
}
