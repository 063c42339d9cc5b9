import { bucketSettings } from "./bucket-settings.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from "./buckets.ts";
import type { Handler } from "./call.ts";
import { completeMultipartUpload } from "./complete-upload.ts";
import { copyObject, uploadPartCopy } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-object.ts";
import { getObject } from "./get-object.ts";
import { listObjects, listObjectsV2 } from "./list-objects.ts";
import { listMultipartUploads } from "./list-uploads.ts";
import { listObjectVersions } from "./list-versions.ts";
import { abortMultipartUpload, createMultipartUpload, listParts, uploadPart } from "./multipart.ts";
import { getObjectAttributes } from "./object-attributes.ts";
import { objectSettings } from "./object-settings.ts";
import { putObject } from "./put-object.ts";

/** Every operation that the stand-in has, by the API's name. */
export const operations: Readonly<Record<string, Handler>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  DeleteBucket: deleteBucket,
  HeadBucket: headBucket,
  GetBucketLocation: getBucketLocation,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: getObject,
  GetObjectAttributes: getObjectAttributes,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
  ...bucketSettings,
  ...objectSettings,
};

// The permission that an operation needs, where it is not simply named after it.
const actions: Readonly<Record<string, string>> = {
  ListBuckets: "s3:ListAllMyBuckets",
  HeadBucket: "s3:ListBucket",
  ListObjects: "s3:ListBucket",
  ListObjectsV2: "s3:ListBucket",
  ListObjectVersions: "s3:ListBucketVersions",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  ListParts: "s3:ListMultipartUploadParts",
  HeadObject: "s3:GetObject",
  CopyObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  UploadPartCopy: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  GetObjectLockConfiguration: "s3:GetBucketObjectLockConfiguration",
  PutObjectLockConfiguration: "s3:PutBucketObjectLockConfiguration",
  GetBucketLifecycleConfiguration: "s3:GetLifecycleConfiguration",
  PutBucketLifecycleConfiguration: "s3:PutLifecycleConfiguration",
  DeleteBucketLifecycle: "s3:PutLifecycleConfiguration",
  GetBucketEncryption: "s3:GetEncryptionConfiguration",
  PutBucketEncryption: "s3:PutEncryptionConfiguration",
  DeleteBucketEncryption: "s3:PutEncryptionConfiguration",
  DeleteBucketTagging: "s3:PutBucketTagging",
};

// Operations whose permission is another one when they name a version.
const versioned = new Set([
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "GetObjectAttributes",
  "GetObjectTagging",
  "PutObjectTagging",
  "DeleteObjectTagging",
]);

/** Names the IAM actions that a request needs. */
export function requiredActions(
  operation: string,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): readonly string[] {
  // Each key of a batch is checked for itself.
  if (operation === "DeleteObjects") return [];
  const plain = actions[operation] ?? `s3:${operation}`;
  const main = query.has("versionId") && versioned.has(operation) ? versionOf(plain) : plain;
  if (main !== "s3:PutObject") return [main];
  return [
    main,
    ...(headers.get("x-amz-tagging") ? ["s3:PutObjectTagging"] : []),
    ...(headers.has("x-amz-object-lock-mode") ? ["s3:PutObjectRetention"] : []),
    ...(headers.has("x-amz-object-lock-legal-hold") ? ["s3:PutObjectLegalHold"] : []),
  ];
}

function versionOf(action: string): string {
  return action.replace("Object", "ObjectVersion");
}
