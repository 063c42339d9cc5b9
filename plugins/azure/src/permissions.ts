import type { Permission } from "@flotilla/sdk/plugin";

const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const objects = { part: "objects", scope: "objects", keys: ["useAAD"] } as const;
const account = { part: "objects", scope: "account" } as const;
const volumes = { part: "volumes", scope: "volumes" } as const;

/**
 * Every permission that this plugin's requests need: data actions on blobs, actions on all else. Its test compares the
 * requests with those in the code; `flotilla install` makes the role of it.
 */
export const permissions: readonly Permission[] = [
  {
    ...objects,
    name: `${blobs}/read`,
    requests: ["download", "getProperties", "listBlobsFlat", "listBlobsByHierarchy"],
  },
  {
    ...objects,
    name: `${blobs}/write`,
    requests: ["upload", "stageBlock", "stageBlockFromURL", "commitBlockList", "syncUploadFromURL"],
  },
  {
    ...objects,
    name: `${blobs}/add/action`,
    requests: ["upload", "stageBlock", "stageBlockFromURL", "commitBlockList", "syncUploadFromURL"],
  },
  { ...objects, name: `${blobs}/delete`, requests: ["delete"] },
  {
    ...objects,
    name: `${blobs}/tags/write`,
    requests: ["upload", "commitBlockList", "syncUploadFromURL"],
    keys: ["tagging"],
  },
  {
    ...account,
    name: "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
    requests: ["getUserDelegationKey"],
    keys: ["useAAD"],
  },
  {
    ...account,
    name: "Microsoft.Storage/storageAccounts/listKeys/action",
    requests: ["storageAccounts.listKeys"],
    unless: ["useAAD", "storageAccountKeyEnvVar"],
  },
  {
    ...account,
    name: "Microsoft.Storage/storageAccounts/read",
    requests: ["storageAccounts.getProperties"],
    without: "the usual endpoint of the account is used unless storageAccountURI names another",
  },
  { ...volumes, name: "Microsoft.Compute/disks/read", requests: ["disks.get", "disks.listByResourceGroup"] },
  { ...volumes, name: "Microsoft.Compute/disks/write", requests: ["disks.createOrUpdate"] },
  {
    ...volumes,
    name: "Microsoft.Compute/disks/delete",
    requests: ["disks.delete"],
    without: "a disk that could not be made in time stays",
  },
  { ...volumes, name: "Microsoft.Compute/disks/beginGetAccess/action", requests: ["snapshots.createOrUpdate"] },
  {
    ...volumes,
    name: "Microsoft.Compute/snapshots/read",
    requests: ["snapshots.get", "snapshots.listByResourceGroup"],
  },
  { ...volumes, name: "Microsoft.Compute/snapshots/write", requests: ["snapshots.createOrUpdate"] },
  { ...volumes, name: "Microsoft.Compute/snapshots/delete", requests: ["snapshots.delete"] },
  {
    ...volumes,
    name: "Microsoft.Compute/diskEncryptionSets/read",
    requests: ["diskEncryptionSets.get"],
    without: "disks that are encrypted with a customer's key are backed up and not restored",
  },
  {
    ...volumes,
    name: "Microsoft.Compute/skus/read",
    requests: ["resourceSkus.list"],
    without: "a restore in another region asks for the type of disk as it was",
  },
];
