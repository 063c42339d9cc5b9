import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import type { MultipartUpload } from "@aws-sdk/client-s3";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { S3Session } from "./s3-session.ts";

/** Uploads older than this were left by a process that was killed: no put of the server lasts for days. */
export const leftoverAgeMs = 7 * 24 * 3_600_000;

/**
 * Aborts what killed processes left of their uploads below this location's backups/ and restores/. Needs
 * s3:ListBucketMultipartUploads; without it, or on any failure, a lifecycle rule does the same and nothing is said.
 */
export async function removeLeftovers(
  session: S3Session,
  locationPrefix: string,
  nowMs: number,
  call: Call,
): Promise<void> {
  const root = locationPrefix === "" ? "" : `${locationPrefix}/`;
  try {
    for (const prefix of [`${root}backups/`, `${root}restores/`]) await removeBelow(session, prefix, nowMs, call);
  } catch (error) {
    call.log.debug("parts of abandoned uploads were not looked for", { reason: PluginError.from(error).message });
  }
}

async function removeBelow(session: S3Session, prefix: string, nowMs: number, call: Call): Promise<void> {
  const attempt = { action: `list uploads below "${prefix}"`, permission: "s3:ListBucketMultipartUploads" };
  let marker: { readonly KeyMarker: string; readonly UploadIdMarker?: string } | undefined;
  do {
    const input = { Bucket: session.bucket, Prefix: prefix, ...marker };
    const page = await session.run(
      attempt,
      call,
      async (client, options) => await client.send(new ListMultipartUploadsCommand(input), options),
    );
    for (const upload of page.Uploads ?? []) if (isLeftover(upload, prefix, nowMs)) await abort(session, upload, call);
    marker =
      page.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
  } while (marker !== undefined);
}

function isLeftover({ Key, UploadId, Initiated }: MultipartUpload, prefix: string, nowMs: number): boolean {
  // The prefix is checked once more, since a store that ignores it would answer other locations' uploads.
  if (Key === undefined || UploadId === undefined || Initiated === undefined) return false;
  return Key.startsWith(prefix) && nowMs - Initiated.getTime() > leftoverAgeMs;
}

async function abort(session: S3Session, upload: MultipartUpload, call: Call): Promise<void> {
  const attempt = { action: `abort an abandoned upload of "${upload.Key}"`, permission: "s3:AbortMultipartUpload" };
  await session.run(attempt, call, async (client, options) => {
    const input = { Bucket: session.bucket, Key: upload.Key, UploadId: upload.UploadId };
    await client.send(new AbortMultipartUploadCommand(input), options);
  });
  call.log.info("removed the parts of an abandoned upload", { key: upload.Key });
}
