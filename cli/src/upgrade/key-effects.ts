import type { Cloud } from "../plugin-facts/plugin-facts.ts";

/** What becomes of what a key of ours did, once the official plugin has taken over. */
export interface KeyEffect {
  readonly effect: string;
  /** Whether the official plugin cannot read what was written with the key. */
  readonly isLoss?: boolean;
}

const shared: Readonly<Record<string, KeyEffect | undefined>> = {
  copyTo: { effect: "copies stay where they are; new objects get none, and deleted backups leave theirs behind" },
  copyToRegions: {
    effect:
      "copies stay; new snapshots get none, and deleted ones leave theirs behind. Keep a file of the location with the key: flotilla volume prune finds the copies by it",
  },
  copyCompletionMinutes: { effect: "belongs to copyToRegions" },
  wait: { effect: "snapshots are reported before they are complete; one that fails later is found at restore" },
  waitTimeout: { effect: "belongs to wait" },
  memoryLimit: { effect: "changes nothing that is stored" },
  zoneMap: { effect: "volumes are restored in the zone that they had" },
  defaultZone: { effect: "volumes are restored in the zone that they had" },
  endpoint: { effect: "the official plugin speaks to the cloud's public endpoint only", isLoss: true },
  universeDomain: { effect: "the official plugin looks for volumes in Google's public cloud only", isLoss: true },
  region: { effect: "volumes are restored from snapshots themselves, never from their copies" },
  kmsKeyName: { effect: "new snapshots and restored disks do not get this key" },
  diskEncryptionSet: { effect: "volumes whose own set is of another region are not restored with this one" },
  resticRepoPrefix: {
    effect:
      "the server's own file-system backup finds its repositories by it: look where they are before you remove it",
  },
  caCert: { effect: "the official plugin trusts the system's authorities only: add the CA there" },
  insecureSkipTLSVerify: { effect: "the official plugin checks every certificate: give the location's CA" },
  storageClass: { effect: "objects keep their class; new ones get the bucket's" },
  accessTier: { effect: "objects keep their tier; new ones get the account's" },
  tagging: { effect: "objects keep their tags; new ones get none" },
  encryptionScope: { effect: "objects stay readable; new ones get the container's own scope" },
  customerKeyEncryptionFile: {
    effect:
      "the official plugin cannot read what was written with this key: copy the backups first (flotilla backup copy)",
    isLoss: true,
  },
  customerKeyEncryptionSecret: {
    effect:
      "the official plugin cannot read what was written with this key: copy the backups first (flotilla backup copy)",
    isLoss: true,
  },
};

/** What leaving a key of ours means. */
export function effectOfLeaving(key: string): KeyEffect {
  return shared[key] ?? { effect: "the official plugin does not know the key" };
}

/** Why the official plugin refuses a key or value that ours takes although the key is official; undefined if it does not. */
export function officialRefusal(cloud: Cloud, key: string, value: string): string | undefined {
  if (cloud === "aws" && key === "tagging" && value !== "" && !value.includes("&"))
    return "the official plugin refuses a single tag: give two, or none";
  if (cloud === "azure" && key === "activeDirectoryAuthorityURI")
    return "the official plugin refuses the key in a VolumeSnapshotLocation: set AZURE_AUTHORITY_HOST instead";
  return undefined;
}

/** Keys that the official plugin cannot do without, and ours can. */
export function officialNeeds(
  cloud: Cloud,
  kind: "BackupStorageLocation" | "VolumeSnapshotLocation",
  config: Readonly<Record<string, string>>,
): readonly string[] {
  if (kind === "VolumeSnapshotLocation") return [];
  if (cloud === "azure") return ["storageAccount"];
  // With an endpoint it asks nobody for the bucket's region.
  return cloud === "aws" && (config["s3Url"] ?? "") !== "" ? ["region"] : [];
}
