import { deleteBucket, getBucket, insertBucket, listBuckets, patchBucket } from "./buckets.ts";
import type { Handler } from "./call.ts";
import { deleteObject, patchObject, updateObject } from "./change-object.ts";
import { composeObject } from "./compose-object.ts";
import { getObject, getObjectXml } from "./get-object.ts";
import { insertObject } from "./insert-object.ts";
import { listObjects } from "./list-objects.ts";
import { cancelResumable, continueResumable } from "./resumable.ts";
import { copyObject, rewriteObject } from "./rewrite-object.ts";

/** An operation with the permission that it needs on the bucket that is addressed. */
export interface Operation {
  readonly permissions: readonly string[];
  readonly handle: Handler;
}

/** The operations by their names in faults and log. */
export const operations: Readonly<Record<string, Operation>> = {
  ListBuckets: { permissions: ["storage.buckets.list"], handle: listBuckets },
  InsertBucket: { permissions: ["storage.buckets.create"], handle: insertBucket },
  GetBucket: { permissions: ["storage.buckets.get"], handle: getBucket },
  PatchBucket: { permissions: ["storage.buckets.update"], handle: patchBucket },
  DeleteBucket: { permissions: ["storage.buckets.delete"], handle: deleteBucket },
  ListObjects: { permissions: ["storage.objects.list"], handle: listObjects },
  InsertObject: { permissions: ["storage.objects.create"], handle: insertObject },
  // Who has the address of a session has its rights.
  ContinueUpload: { permissions: [], handle: continueResumable },
  CancelUpload: { permissions: [], handle: cancelResumable },
  GetObject: { permissions: ["storage.objects.get"], handle: getObject },
  ReadObject: { permissions: ["storage.objects.get"], handle: getObject },
  XmlGetObject: { permissions: ["storage.objects.get"], handle: getObjectXml },
  PatchObject: { permissions: ["storage.objects.update"], handle: patchObject },
  UpdateObject: { permissions: ["storage.objects.update"], handle: updateObject },
  DeleteObject: { permissions: ["storage.objects.delete"], handle: deleteObject },
  RewriteObject: { permissions: ["storage.objects.get"], handle: rewriteObject },
  CopyObject: { permissions: ["storage.objects.get"], handle: copyObject },
  ComposeObject: { permissions: ["storage.objects.create", "storage.objects.get"], handle: composeObject },
};
