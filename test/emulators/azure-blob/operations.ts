import { getBlockList, putBlockList } from "./block-list.ts";
import type { Authorization, Handler } from "./call.ts";
import { getBlobTags, setBlobMetadata, setBlobProperties, setBlobTags, setBlobTier } from "./change-blob.ts";
import { abortCopyBlob, copyBlob, copyBlobFromUrl } from "./copy-blob.ts";
import { createContainer, deleteContainer, getContainerProperties, listContainers } from "./containers.ts";
import { getUserDelegationKey } from "./delegation-key.ts";
import { deleteBlob } from "./delete-blob.ts";
import { getBlob, getBlobProperties } from "./get-blob.ts";
import { listBlobs } from "./list-blobs.ts";
import { deleteBlobImmutabilityPolicy, setBlobImmutabilityPolicy, setBlobLegalHold } from "./protect-blob.ts";
import { putBlob } from "./put-blob.ts";
import { putBlock } from "./put-block.ts";
import { putBlobFromUrl, putBlockFromUrl } from "./put-from-url.ts";
import { snapshotBlob } from "./snapshot-blob.ts";
import type { DataRole } from "./state.ts";

/** An operation with what it needs. */
export interface Operation {
  readonly handle: Handler;
  /** What it works on, as an account SAS names it: the service, a container, or an object. */
  readonly resourceType: "s" | "c" | "o";
  /** The permissions of a SAS, one of which must be there; empty: no SAS is enough. */
  readonly permissions: string;
  /** Whether a SAS of a container or a blob can be enough. */
  readonly allowsServiceSas: boolean;
  /** The roles of which a principal needs one. */
  readonly roles: readonly DataRole[];
}

/** All operations by the names of the API reference. */
export const operations: Readonly<Record<string, Operation>> = {
  ListContainers: { ...read(listContainers, "s", "l"), allowsServiceSas: false },
  GetUserDelegationKey: {
    ...write(getUserDelegationKey, "s", ""),
    roles: ["owner", "contributor", "reader", "delegator"],
    allowsServiceSas: false,
  },
  CreateContainer: { ...write(createContainer, "c", "cw"), allowsServiceSas: false },
  DeleteContainer: { ...write(deleteContainer, "c", "d"), allowsServiceSas: false },
  GetContainerProperties: { ...read(getContainerProperties, "c", "r"), allowsServiceSas: false },
  ListBlobs: read(listBlobs, "c", "l"),
  GetBlob: read(getBlob, "o", "r"),
  GetBlobProperties: read(getBlobProperties, "o", "r"),
  GetBlockList: read(getBlockList, "o", "r"),
  GetBlobTags: { ...read(getBlobTags, "o", "t"), roles: ["owner"] },
  PutBlob: write(putBlob, "o", "wc"),
  PutBlock: write(putBlock, "o", "w"),
  PutBlockList: write(putBlockList, "o", "w"),
  SetBlobMetadata: write(setBlobMetadata, "o", "w"),
  SetBlobProperties: write(setBlobProperties, "o", "w"),
  SetBlobTier: write(setBlobTier, "o", "w"),
  SetBlobTags: { ...write(setBlobTags, "o", "t"), roles: ["owner"] },
  DeleteBlob: write(deleteBlob, "o", "d"),
  SnapshotBlob: write(snapshotBlob, "o", "cw"),
  CopyBlob: write(copyBlob, "o", "wc"),
  AbortCopyBlob: write(abortCopyBlob, "o", "w"),
  CopyBlobFromUrl: write(copyBlobFromUrl, "o", "wc"),
  PutBlobFromUrl: write(putBlobFromUrl, "o", "wc"),
  PutBlockFromUrl: write(putBlockFromUrl, "o", "w"),
  SetBlobImmutabilityPolicy: write(setBlobImmutabilityPolicy, "o", "i"),
  DeleteBlobImmutabilityPolicy: write(deleteBlobImmutabilityPolicy, "o", "i"),
  SetBlobLegalHold: write(setBlobLegalHold, "o", "i"),
};

/** Tells whether the proof of a request is enough for an operation. */
export function isPermitted(operation: Operation, authorization: Authorization, held: DataRole): boolean {
  if (authorization.kind === "shared-key") return true;
  if (authorization.kind === "token") return operation.roles.includes(held);
  return operation.permissions.split("").some((letter) => authorization.permissions.has(letter));
}

function read(handle: Handler, resourceType: Operation["resourceType"], permissions: string): Operation {
  return { handle, resourceType, permissions, allowsServiceSas: true, roles: ["owner", "contributor", "reader"] };
}

function write(handle: Handler, resourceType: Operation["resourceType"], permissions: string): Operation {
  return { handle, resourceType, permissions, allowsServiceSas: true, roles: ["owner", "contributor"] };
}
