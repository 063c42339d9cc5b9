import { childrenNamed, childText, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import { accountIdOf, isAllowed } from "../accounts.ts";
import { receiveDocument } from "./body.ts";
import type { Bucket } from "./bucket.ts";
import { bucketOf, keyOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { failed, matchesEtag } from "./conditions.ts";
import { checkVersionId } from "./find-object.ts";
import { checkDeletable } from "./lock.ts";
import { newVersion } from "./new-version.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

const maxKeysPerRequest = 1000;

/** What a deletion did. */
interface Deletion {
  readonly versionId?: string | undefined;
  readonly isDeleteMarker: boolean;
}

/** DeleteObject; deleting what is not there succeeds. */
export function deleteObject(call: Call): Answer {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const versionId = call.query.get("versionId");
  const ifMatch = call.headers.get("if-match");
  if (ifMatch !== undefined) checkIfMatch(bucket, key, ifMatch);
  const done = deleteOne(call, bucket, key, versionId);
  return {
    status: 204,
    headers: {
      ...(done.versionId === undefined ? {} : { "x-amz-version-id": done.versionId }),
      ...(done.isDeleteMarker ? { "x-amz-delete-marker": "true" } : {}),
    },
  };
}

/** DeleteObjects: each key succeeds or fails for itself. */
export async function deleteObjects(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const root = parseXml(await receiveDocument(call, { needsDigest: true }));
  const wanted = childrenNamed(root, "Object");
  if (root.name !== "Delete" || wanted.length === 0 || wanted.length > maxKeysPerRequest) {
    throw new S3Error("MalformedXML");
  }
  const isQuiet = childText(root, "Quiet") === "true";
  const results = wanted.map((one) => {
    const key = requiredText(one, "Key");
    const versionId = childText(one, "VersionId");
    const names = [leaf("Key", key), leaf("VersionId", versionId)];
    try {
      requirePermission(call, bucket, versionId);
      const done = deleteOne(call, bucket, key, versionId);
      return isQuiet ? "" : element("Deleted", [...names, ...describe(done)]);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return element("Error", [...names, leaf("Code", error.code), leaf("Message", error.message)]);
    }
  });
  return { body: document(element("DeleteResult", results, ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')) };
}

function describe(done: Deletion): string[] {
  if (!done.isDeleteMarker) return [];
  return [leaf("DeleteMarker", true), leaf("DeleteMarkerVersionId", done.versionId)];
}

function requirePermission(call: Call, bucket: Bucket, versionId: string | undefined): void {
  const action = versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
  if (!isAllowed(call.account, action, bucket.config.name)) throw new S3Error("AccessDenied");
}

function deleteOne(call: Call, bucket: Bucket, key: string, versionId: string | undefined): Deletion {
  if (versionId !== undefined) {
    checkVersionId(versionId);
    const meta = bucket.objects.versions(key).find((version) => version.versionId === versionId);
    if (meta !== undefined) {
      checkDeletable(call, meta);
      bucket.objects.remove(meta);
    }
    return { versionId, isDeleteMarker: meta?.isDeleteMarker === true };
  }
  if (bucket.config.versioning === undefined) {
    const meta = bucket.objects.latest(key);
    if (meta !== undefined) bucket.objects.remove(meta);
    return { isDeleteMarker: false };
  }
  const marker = deleteMarker(call, bucket, key);
  bucket.objects.publish(marker, undefined);
  return { versionId: marker.versionId, isDeleteMarker: true };
}

function deleteMarker(call: Call, bucket: Bucket, key: string): ObjectMeta {
  const nothing = { headers: {}, userMetadata: {}, storageClass: "STANDARD", tags: {}, size: 0, etag: "" };
  const content = { ...nothing, key, encryption: { kind: "AES256" }, isDeleteMarker: true } as const;
  return { ...newVersion(call, bucket, content), owner: accountIdOf(call.account) };
}

function checkIfMatch(bucket: Bucket, key: string, ifMatch: string): void {
  const latest = bucket.objects.latest(key);
  if (latest === undefined || latest.isDeleteMarker === true) {
    throw new S3Error("NoSuchKey", undefined, { details: { Key: key } });
  }
  if (!matchesEtag(ifMatch, latest.etag)) throw failed("If-Match");
}
