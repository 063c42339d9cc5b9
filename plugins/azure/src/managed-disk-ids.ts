import { createHash, randomUUID } from "node:crypto";
import { PluginError } from "@flotilla/sdk/plugin";

/** Where managed disks or snapshots live. */
export interface Place {
  readonly subscription: string;
  readonly resourceGroup: string;
}

/** A disk or a snapshot with its place. */
export interface ComputeId extends Place {
  readonly type: "disks" | "snapshots";
  readonly name: string;
}

/** A disk encryption set (a customer-managed key) with its place. */
export interface EncryptionSetId extends Place {
  readonly name: string;
}

// Azure prints these ids in any case: "resourcegroups" and "microsoft.compute" are as frequent as the documented form.
const idPattern =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/([^/]+)\/([^/]+)$/i;

const maxSnapshotName = 80;
// 64 bits tell the snapshots of any resource group apart.
const copyNameDigits = 16;

/** Reads the ARM id of a disk or a snapshot; undefined for anything else. */
export function parseComputeId(text: string): ComputeId | undefined {
  const { word, id } = partsOf(text) ?? {};
  const type = (["disks", "snapshots"] as const).find((type) => type === word);
  return id === undefined || type === undefined ? undefined : { ...id, type };
}

/** Reads the ARM id of a disk encryption set; undefined for anything else. */
export function parseEncryptionSetId(text: string): EncryptionSetId | undefined {
  const { word, id } = partsOf(text) ?? {};
  return word === "diskencryptionsets" ? id : undefined;
}

/** The ARM id in the spelling of the official plugin, which reads no other. */
export function printComputeId({ subscription, resourceGroup, type, name }: ComputeId): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${type}/${name}`;
}

/** The snapshot that the server names: always by its ARM id. */
export function readSnapshotId(snapshotId: string): ComputeId {
  const id = parseComputeId(snapshotId);
  if (id?.type === "snapshots") return id;
  throw new PluginError(
    `read the snapshot id "${snapshotId}": it is not the ARM id of a snapshot ` +
      "(/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/snapshots/…)",
    { kind: "invalid-argument" },
  );
}

/** The disk that the server names: by its bare name in the default place, by its ARM id anywhere else. */
export function readVolumeRef(volumeId: string, defaultPlace: Place): ComputeId {
  const id = parseComputeId(volumeId);
  if (id?.type === "disks") return id;
  if (volumeId !== "" && !volumeId.includes("/") && !isPathStep(volumeId))
    return { ...defaultPlace, type: "disks", name: volumeId };
  throw new PluginError(`read the volume id "${volumeId}": it is neither the name nor the ARM id of a disk`, {
    kind: "invalid-argument",
  });
}

/** The volume id of a disk: what the official plugin would read for one that it can find, the ARM id for any other. */
export function printVolumeRef(disk: ComputeId, defaultPlace: Place): string {
  return isSamePlace(disk, defaultPlace) ? disk.name : printComputeId(disk);
}

/** Whether two places are one; Azure does not tell cases apart. */
export function isSamePlace(a: Place, b: Place): boolean {
  return isSameName(a.subscription, b.subscription) && isSameName(a.resourceGroup, b.resourceGroup);
}

/** Whether two disks or snapshots are one. */
export function isSameId(a: ComputeId, b: ComputeId): boolean {
  return a.type === b.type && isSamePlace(a, b) && isSameName(a.name, b.name);
}

/** Whether Azure takes two names for one. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The name of a new snapshot: the disk's, cut to what Azure allows, and something that no other has. */
export function newSnapshotName(diskName: string, uniqueId: string = randomUUID()): string {
  const suffix = `-${uniqueId}`;
  return diskName.slice(0, maxSnapshotName - suffix.length) + suffix;
}

/** The name of the copy of a snapshot in a region: always the same, so that nobody ever makes two. */
export function copyName(origin: ComputeId, region: string): string {
  const id = createHash("sha256")
    .update(`${printComputeId(origin).toLowerCase()} ${region}`)
    .digest("hex");
  const suffix = `-${region}-${id.slice(0, copyNameDigits)}`;
  return origin.name.slice(0, maxSnapshotName - suffix.length).replace(/[-.]+$/, "") + suffix;
}

/** The name of a new disk. */
export function newDiskName(uniqueId: string = randomUUID()): string {
  return `restore-${uniqueId}`;
}

function partsOf(text: string): { readonly word: string; readonly id: EncryptionSetId } | undefined {
  const [, subscription, resourceGroup, word, name] = idPattern.exec(text) ?? [];
  if (subscription === undefined || resourceGroup === undefined || name === undefined || word === undefined)
    return undefined;
  // Ids come out of backups: none may lead the request to another path.
  if ([subscription, resourceGroup, name].some(isPathStep)) return undefined;
  return { word: word.toLowerCase(), id: { subscription, resourceGroup, name } };
}

function isPathStep(segment: string): boolean {
  return segment === "." || segment === "..";
}
