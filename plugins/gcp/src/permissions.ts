import type { Permission } from "@flotilla/sdk/plugin";

const objects = { part: "objects", scope: "objects" } as const;
const volumes = { part: "volumes", scope: "volumes" } as const;
const unexplained = "what fails after it was accepted fails without a reason, and without the key wait unseen";

/**
 * Every permission that this plugin's requests need. Its test compares the requests with those in the code; `flotilla
 * install` makes the roles of it.
 */
export const permissions: readonly Permission[] = [
  { ...objects, name: "storage.objects.get", requests: ["get object"] },
  { ...objects, name: "storage.objects.list", requests: ["list objects"] },
  { ...objects, name: "storage.objects.create", requests: ["insert object"] },
  // Replacing an object is deleting the former one.
  { ...objects, name: "storage.objects.delete", requests: ["delete object", "insert object"] },
  {
    part: "objects",
    scope: "account",
    name: "iam.serviceAccounts.signBlob",
    requests: ["sign blob"],
    without: "there are no signed URLs where the credentials hold no private key, as with workload identity",
  },
  {
    part: "objects",
    scope: "bucket",
    name: "storage.buckets.get",
    requests: ["get bucket"],
    keys: ["copyTo"],
    without: "flotilla check cannot tell that a copy lies in the region of its original",
  },
  {
    ...volumes,
    name: "compute.snapshots.list",
    requests: ["listSnapshots"],
    without: "copies of snapshots are found by name only",
  },
  { ...volumes, name: "compute.disks.list", requests: ["listDisks"], keys: ["copyToRegions"] },
  {
    ...volumes,
    name: "compute.regions.get",
    requests: ["listZones"],
    without: "the zones of another region are not known when a disk is restored there",
  },
  {
    ...volumes,
    name: "compute.diskTypes.get",
    requests: ["hasDiskType"],
    without: "a restore in another region asks for the type of disk as it was",
  },
  { ...volumes, name: "compute.disks.get", requests: ["getDisk"] },
  { ...volumes, name: "compute.disks.create", requests: ["createDisk"] },
  { ...volumes, name: "compute.disks.createSnapshot", requests: ["createSnapshot"] },
  { ...volumes, name: "compute.disks.delete", requests: ["delete"], without: "a disk that could not be made stays" },
  {
    ...volumes,
    name: "compute.disks.setLabels",
    requests: ["createDisk"],
    without: "restored disks have no labels",
  },
  { ...volumes, name: "compute.snapshots.get", requests: ["getSnapshot"] },
  { ...volumes, name: "compute.snapshots.create", requests: ["createSnapshot"] },
  { ...volumes, name: "compute.snapshots.useReadOnly", requests: ["createDisk"] },
  { ...volumes, name: "compute.snapshots.delete", requests: ["delete"] },
  {
    ...volumes,
    name: "compute.snapshots.setLabels",
    requests: ["createSnapshot"],
    without: "snapshots have no labels",
  },
  {
    ...volumes,
    name: "compute.projects.get",
    requests: ["getProject"],
    without: "a used up quota of snapshots is told by Compute Engine only",
  },
  { ...volumes, name: "compute.globalOperations.get", requests: ["getOperation"], without: unexplained },
  { ...volumes, name: "compute.zoneOperations.get", requests: ["getOperation"], without: unexplained },
  { ...volumes, name: "compute.regionOperations.get", requests: ["getOperation"], without: unexplained },
];
