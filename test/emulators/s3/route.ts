import { S3Error } from "./s3-error.ts";

/** What a request addresses. */
export interface Address {
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** The bucket was in the host name, so name resolution would have found the right region. */
  readonly isVirtualHost: boolean;
}

// Operation by what is addressed, by method, by the sub-resource in the query ("" where there is none). The first that is present wins.
const bucketOperations: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  GET: [
    ["location", "GetBucketLocation"],
    ["versioning", "GetBucketVersioning"],
    ["object-lock", "GetObjectLockConfiguration"],
    ["tagging", "GetBucketTagging"],
    ["lifecycle", "GetBucketLifecycleConfiguration"],
    ["policy", "GetBucketPolicy"],
    ["encryption", "GetBucketEncryption"],
    ["uploads", "ListMultipartUploads"],
    ["versions", "ListObjectVersions"],
    ["list-type", "ListObjectsV2"],
    ["", "ListObjects"],
  ],
  HEAD: [["", "HeadBucket"]],
  PUT: [
    ["versioning", "PutBucketVersioning"],
    ["object-lock", "PutObjectLockConfiguration"],
    ["tagging", "PutBucketTagging"],
    ["lifecycle", "PutBucketLifecycleConfiguration"],
    ["policy", "PutBucketPolicy"],
    ["encryption", "PutBucketEncryption"],
    ["", "CreateBucket"],
  ],
  POST: [["delete", "DeleteObjects"]],
  DELETE: [
    ["tagging", "DeleteBucketTagging"],
    ["lifecycle", "DeleteBucketLifecycle"],
    ["policy", "DeleteBucketPolicy"],
    ["encryption", "DeleteBucketEncryption"],
    ["", "DeleteBucket"],
  ],
};
const objectOperations: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  GET: [
    ["uploadId", "ListParts"],
    ["attributes", "GetObjectAttributes"],
    ["tagging", "GetObjectTagging"],
    ["retention", "GetObjectRetention"],
    ["legal-hold", "GetObjectLegalHold"],
    ["", "GetObject"],
  ],
  HEAD: [["", "HeadObject"]],
  PUT: [
    ["uploadId", "UploadPart"],
    ["tagging", "PutObjectTagging"],
    ["retention", "PutObjectRetention"],
    ["legal-hold", "PutObjectLegalHold"],
    ["", "PutObject"],
  ],
  POST: [
    ["uploads", "CreateMultipartUpload"],
    ["uploadId", "CompleteMultipartUpload"],
  ],
  DELETE: [
    ["uploadId", "AbortMultipartUpload"],
    ["tagging", "DeleteObjectTagging"],
    ["", "DeleteObject"],
  ],
};

// Sub-resources of the real service that the stand-in does not have: to answer them as if they were absent would be a lie.
const missing = new Set(
  (
    "accelerate acl analytics cors intelligent-tiering inventory legacy logging metrics notification ownershipControls " +
    "policyStatus publicAccessBlock replication requestPayment website torrent restore select renameObject annotation metadataTable"
  ).split(" "),
);

/** Names the operation of a request. */
export function routeOperation(
  method: string,
  address: Address,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): string {
  if ([...query.keys()].some((name) => missing.has(name))) throw new S3Error("NotImplemented");
  if (address.bucket === undefined) {
    if (method === "GET") return "ListBuckets";
    throw new S3Error("MethodNotAllowed");
  }
  const table = address.key === undefined ? bucketOperations : objectOperations;
  const operation = table[method]?.find(([name]) => name === "" || query.has(name))?.[1];
  if (operation === undefined) throw new S3Error("MethodNotAllowed");
  if (!headers.has("x-amz-copy-source")) return operation;
  if (operation === "PutObject") return "CopyObject";
  return operation === "UploadPart" ? "UploadPartCopy" : operation;
}

/** Finds bucket and key in host and path, in either addressing style. */
export function readAddress(host: string, rawPath: string): Address {
  const path = decodePath(rawPath.slice(1));
  const bucket = bucketInHost(host);
  if (bucket !== undefined) return { bucket, key: path === "" ? undefined : path, isVirtualHost: true };
  const at = path.indexOf("/");
  const name = at === -1 ? path : path.slice(0, at);
  const key = at === -1 ? "" : path.slice(at + 1);
  return {
    bucket: name === "" ? undefined : name,
    key: key === "" ? undefined : key,
    isVirtualHost: false,
  };
}

function bucketInHost(host: string): string | undefined {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const match = /^(.+?)\.(?:s3(?:[.-][a-z0-9-]+)?\.)?localhost$/.exec(name);
  const bucket = match?.[1];
  // "s3.localhost" and "s3.eu-west-1.localhost" are the endpoint itself.
  return bucket === undefined || bucket === "s3" || bucket.startsWith("s3.") ? undefined : bucket;
}

function decodePath(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    // Not percent-encoded UTF-8.
    throw new S3Error("InvalidURI", undefined, { details: { URI: raw, Cause: String(cause) } });
  }
}
