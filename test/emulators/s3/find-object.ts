import { isAllowed } from "../accounts.ts";
import type { Bucket } from "./bucket.ts";
import { bucketOf, keyOf } from "./call.ts";
import type { Call } from "./call.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** Finds the version that a request addresses; throws as S3 does for absent ones and for delete markers. */
export function findObject(call: Call): { readonly bucket: Bucket; readonly meta: ObjectMeta } {
  const bucket = bucketOf(call);
  return { bucket, meta: findVersion(call, bucket, keyOf(call), call.query.get("versionId")) };
}

/** Finds a version of a key, the newest where none is named. */
export function findVersion(call: Call, bucket: Bucket, key: string, versionId: string | undefined): ObjectMeta {
  if (versionId === undefined) {
    const latest = bucket.objects.latest(key);
    if (latest !== undefined && latest.isDeleteMarker !== true) return latest;
    throw noSuchKey(call, bucket, key, latest);
  }
  checkVersionId(versionId);
  const version = bucket.objects.versions(key).find((one) => one.versionId === versionId);
  if (version === undefined) {
    throw new S3Error("NoSuchVersion", undefined, { details: { Key: key, VersionId: versionId } });
  }
  if (version.isDeleteMarker !== true) return version;
  throw new S3Error("MethodNotAllowed", undefined, {
    details: { Method: call.method, ResourceType: "DeleteMarker" },
    headers: { "x-amz-delete-marker": "true", "x-amz-version-id": versionId, allow: "DELETE" },
  });
}

/** Refuses what cannot be the id of a version. */
export function checkVersionId(versionId: string): void {
  if (versionId === "null" || /^[\w-]{32}$/.test(versionId)) return;
  throw new S3Error("InvalidArgument", "Invalid version id specified", {
    details: { ArgumentName: "versionId", ArgumentValue: versionId },
  });
}

function noSuchKey(call: Call, bucket: Bucket, key: string, marker: ObjectMeta | undefined): S3Error {
  // Who may not list must not learn which keys exist.
  if (!isAllowed(call.account, "s3:ListBucket", bucket.config.name)) return new S3Error("AccessDenied");
  const headers = marker === undefined ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": marker.versionId };
  return new S3Error("NoSuchKey", undefined, { details: { Key: key }, headers });
}
