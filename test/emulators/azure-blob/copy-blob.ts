import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import { httpDate, readImmutability, readLegalHold, readTags, readTier, versionHeaders } from "./blob-settings.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import type { Container } from "./container.ts";
import { openSource, pourSource } from "./copy-source.ts";
import type { CopySource } from "./copy-source.ts";
import { readEncryption } from "./encryption.ts";
import { currentBlob } from "./find-blob.ts";
import { maxSyncCopyBytes } from "./limits.ts";
import { readMetadata } from "./metadata.ts";
import { checkOverwrite, newBlob } from "./new-blob.ts";
import { incomingName } from "./settle.ts";

/** Copy Blob: pending until its time has come. */
export async function copyBlob(call: Call): Promise<Answer> {
  return await copyFrom(call, await openSource(call), call.state.settings.copyMs);
}

/** Copy Blob From URL: done when it is answered. */
export async function copyBlobFromUrl(call: Call): Promise<Answer> {
  const source = await openSource(call);
  if (source.size > maxSyncCopyBytes) throw new BlobError("CannotVerifyCopySource", {}, { status: 409 });
  return await copyFrom(call, source, 0);
}

/** Abort Copy Blob: leaves an empty blob with its metadata. */
export async function abortCopyBlob(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const action = call.headers.get("x-ms-copy-action");
  if (action !== "abort") throw invalidHeader("x-ms-copy-action", action ?? "");
  const meta = await currentBlob(call, container, blobNameOf(call));
  if (meta === undefined) throw new BlobError("BlobNotFound");
  const { copy } = meta;
  if (copy?.status !== "pending") throw new BlobError("NoPendingCopyOperation");
  if (copy.id !== call.query.get("copyid")) throw new BlobError("CopyIdMismatch");
  container.blobs.update(meta, { copy: { ...copy, status: "aborted", completes: call.now.toISOString() } });
  await rm(join(container.blobs.folderOf(meta), incomingName), { force: true });
  return { status: 204 };
}

async function copyFrom(call: Call, source: CopySource, pendingMs: number): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  // Between the last check and the publication no other request may come.
  const check = (container: Container): void => {
    checkWriteConditions(call.headers, container.current(name));
    checkOverwrite(call, container.current(name));
  };
  await currentBlob(call, container, name);
  check(container);
  const settings = readCopySettings(call, container, source);
  const isPending = pendingMs > 0;
  return await call.state.withStaging(async (folder) => {
    const sink = await FileSink.open(join(folder, isPending ? incomingName : "data"));
    await fillSink(sink, (sink) => pourSource(call, source, sink));
    if (isPending) await (await FileSink.open(join(folder, "data"))).close();
    await currentBlob(call, containerOf(call), name);
    check(containerOf(call));
    const copy = {
      id: randomUUID(),
      source: source.url,
      status: isPending ? "pending" : "success",
      copied: isPending ? 0 : source.size,
      total: source.size,
      completes: new Date(call.now.getTime() + pendingMs).toISOString(),
    } as const;
    const size = isPending ? 0 : source.size;
    const meta = newBlob(call, container, { ...settings, name, size, blocks: source.meta?.blocks, copy });
    container.publish(meta, folder);
    container.clearStaged(name);
    return {
      status: 202,
      headers: {
        etag: meta.etag,
        "last-modified": httpDate(meta.lastModified),
        "x-ms-copy-id": copy.id,
        "x-ms-copy-status": copy.status,
        ...versionHeaders(meta, false),
      },
    };
  });
}

function readCopySettings(
  call: Call,
  container: Container,
  source: CopySource,
): Pick<
  BlobMeta,
  "headers" | "metadata" | "tags" | "tier" | "isTierInferred" | "encryption" | "immutability" | "hasLegalHold"
> {
  const metadata = readMetadata(call.request);
  const tier = readTier(call);
  return {
    headers: source.headers,
    // Metadata of the request replace those of the source, all or none.
    metadata: Object.keys(metadata).length > 0 ? metadata : (source.meta?.metadata ?? {}),
    tags: readCopyTags(call, source),
    tier: tier ?? "Hot",
    isTierInferred: tier === undefined,
    encryption: readEncryption(call, container.config),
    immutability: readImmutability(call, container),
    hasLegalHold: readLegalHold(call, container),
  };
}

function readCopyTags(call: Call, source: CopySource): Readonly<Record<string, string>> {
  const option = call.headers.get("x-ms-copy-source-tag-option") ?? "REPLACE";
  if (option === "REPLACE") return readTags(call);
  if (option !== "COPY") throw invalidHeader("x-ms-copy-source-tag-option", option);
  if (call.headers.has("x-ms-tags")) throw new BlobError("InvalidHeaderValue", { HeaderName: "x-ms-tags" });
  return source.meta?.tags ?? {};
}
