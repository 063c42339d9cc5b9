import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { BlobError } from "./blob-error.ts";
import { httpDate } from "./blob-settings.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { checkCustomerKey, encryptionHeaders } from "./encryption.ts";
import { currentBlob } from "./find-blob.ts";
import { readMetadata } from "./metadata.ts";

/** Snapshot Blob. */
export async function snapshotBlob(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const meta = await currentBlob(call, container, blobNameOf(call));
  if (meta === undefined) throw new BlobError("BlobNotFound");
  checkWriteConditions(call.headers, meta);
  checkCustomerKey(call, meta.encryption);
  const metadata = readMetadata(call.request);
  return await call.state.withStaging(async (folder) => {
    await copyFile(container.blobs.dataPath(meta), join(folder, "data"));
    const snapshot = {
      ...meta,
      metadata: Object.keys(metadata).length > 0 ? metadata : meta.metadata,
      versionId: call.state.nextTimestamp(call.now),
      sequence: call.state.nextSequence(),
      immutability: undefined,
      hasLegalHold: undefined,
    };
    container.snapshots.publish(snapshot, folder);
    return {
      status: 201,
      headers: {
        "x-ms-snapshot": snapshot.versionId,
        etag: meta.etag,
        "last-modified": httpDate(meta.lastModified),
        "x-ms-request-server-encrypted": "true",
        ...encryptionHeaders(meta.encryption),
      },
    };
  });
}
