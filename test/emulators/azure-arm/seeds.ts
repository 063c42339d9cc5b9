import { createHash, randomBytes, randomUUID } from "node:crypto";

import { checkSize, isProvisioned, settlePerformance } from "./disk-rules.ts";
import { platformEncryption } from "./encryption.ts";
import type { Disk, DiskEncryptionSet, DiskSku, Encryption, EncryptionType, Snapshot, SnapshotSku } from "./model.ts";
import { checkName } from "./properties.ts";
import type { Kind, ResourceId } from "./resource-id.ts";
import type { StorageAccount } from "./state.ts";
import type { Problem } from "./arm-error.ts";

/** What stands where nothing else is configured. */
export const azureDefaults = {
  tenantId: "11111111-1111-4111-8111-111111111111",
  clientId: "22222222-2222-4222-8222-222222222222",
  clientSecret: "stand-in~secret",
  subscriptionId: "33333333-3333-4333-8333-333333333333",
  resourceGroup: "cluster-nodes",
  location: "eastus",
  otherLocation: "westus2",
} as const;

/** Where something is; the defaults are those of `azureDefaults`. */
export interface Place {
  readonly subscriptionId?: string;
  readonly resourceGroup?: string;
  readonly location?: string;
}

/** A disk to put there without a request. */
export interface DiskSeed extends Place {
  readonly name: string;
  readonly sku?: DiskSku;
  readonly sizeGiB?: number;
  readonly zones?: readonly string[];
  readonly iops?: number;
  readonly mbps?: number;
  readonly encryption?: Encryption;
  readonly tags?: Readonly<Record<string, string>>;
  /** The id of the virtual machine that it is attached to. */
  readonly managedBy?: string;
  /** Properties that the stand-in only keeps: `osType`, `hyperVGeneration`. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A snapshot to put there without a request, complete. */
export interface SnapshotSeed extends Place {
  readonly name: string;
  readonly sku?: SnapshotSku;
  readonly sizeGiB?: number;
  readonly isIncremental?: boolean;
  readonly encryption?: Encryption;
  readonly tags?: Readonly<Record<string, string>>;
  readonly sourceResourceId?: string;
}

/** A storage account to put there. */
export interface ArmAccountSeed extends Place {
  readonly name: string;
  readonly blobEndpoint: string;
  /** Default: two made up ones with all permissions. */
  readonly keys?: readonly (string | StorageAccount["keys"][number])[];
}

/** A disk encryption set to put there. */
export interface DiskEncryptionSetSeed extends Place {
  readonly name: string;
  readonly type?: EncryptionType;
  /** Why its key cannot be used: what is made with it fails after the answer. */
  readonly failure?: Problem;
}

/** Returns the id of a seed. */
export function seedId(
  kind: Kind,
  { subscriptionId, resourceGroup, name }: Place & { readonly name: string },
): ResourceId {
  return {
    subscriptionId: subscriptionId ?? azureDefaults.subscriptionId,
    resourceGroup: resourceGroup ?? azureDefaults.resourceGroup,
    kind,
    name,
  };
}

/** Makes a disk. */
export function makeDisk(seed: DiskSeed, location: string, nowMs: number): Disk {
  checkName(seed.name);
  const { sku = "Premium_LRS", sizeGiB = isProvisioned(sku) ? 64 : 8 } = seed;
  checkSize(sku, sizeGiB);
  return {
    id: seedId("disks", seed),
    uniqueId: randomUUID(),
    location,
    tags: seed.tags ?? {},
    sku,
    zones: seed.zones ?? [],
    sizeGiB,
    ...settlePerformance(sku, sizeGiB, seed.iops, seed.mbps),
    encryption: seed.encryption ?? platformEncryption,
    creation: { createOption: "Empty", rest: {} },
    createdMs: nowMs,
    readyMs: nowMs,
    rest: seed.properties ?? {},
    ...(seed.managedBy === undefined ? {} : { managedBy: seed.managedBy }),
  };
}

/** Makes a snapshot. */
export function makeSnapshot(seed: SnapshotSeed, location: string, nowMs: number): Snapshot {
  checkName(seed.name);
  const { isIncremental = true, sourceResourceId } = seed;
  return {
    id: seedId("snapshots", seed),
    uniqueId: randomUUID(),
    location,
    tags: seed.tags ?? {},
    sku: seed.sku ?? "Standard_LRS",
    sizeGiB: seed.sizeGiB ?? 8,
    encryption: seed.encryption ?? platformEncryption,
    creation: { createOption: "Copy", ...(sourceResourceId === undefined ? {} : { sourceResourceId }), rest: {} },
    createdMs: nowMs,
    readyMs: nowMs,
    isIncremental,
    ...(isIncremental ? { familyId: familyOf(sourceResourceId) } : {}),
    copyStartMs: nowMs,
    copiedMs: nowMs,
    needsCopy: false,
    rest: {},
  };
}

/** Makes a disk encryption set. */
export function makeEncryptionSet(seed: DiskEncryptionSetSeed, location: string): DiskEncryptionSet {
  return {
    id: seedId("diskEncryptionSets", seed),
    location,
    type: seed.type ?? "EncryptionAtRestWithCustomerKey",
    ...(seed.failure === undefined ? {} : { failure: seed.failure }),
  };
}

/** Makes a storage account. */
export function makeStorageAccount(seed: ArmAccountSeed, location: string): StorageAccount {
  const { keys = [1, 2].map(() => randomBytes(64).toString("base64")) } = seed;
  return {
    id: seedId("storageAccounts", seed),
    location,
    blobEndpoint: seed.blobEndpoint,
    keys: keys.map((key) => (typeof key === "string" ? { value: key, permissions: "FULL" } : key)),
  };
}

function familyOf(sourceResourceId: string | undefined): string {
  if (sourceResourceId === undefined) return randomUUID();
  const hex = createHash("sha256").update(sourceResourceId.toLowerCase()).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}
