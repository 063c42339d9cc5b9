import type { Problem } from "./arm-error.ts";
import type { ArmSettings, OperationForm } from "./call.ts";
import type { MissingPermission } from "./permissions.ts";
import type { Refusal } from "./regions.ts";
import { formatId, keyOf, parseId } from "./resource-id.ts";
import { azureDefaults, makeDisk, makeEncryptionSet, makeSnapshot, makeStorageAccount, seedId } from "./seeds.ts";
import type { DiskEncryptionSetSeed, DiskSeed, Place, SnapshotSeed, ArmAccountSeed } from "./seeds.ts";
import type { ArmService } from "./serve-arm.ts";
import type { ArmState } from "./state.ts";
import { writeDisk, writeSnapshot } from "./write-resource.ts";

/** A subscription of the stand-in. */
export interface SubscriptionSeed {
  readonly subscriptionId: string;
  /** Default: that of `azureDefaults`. */
  readonly tenantId?: string;
  readonly resourceGroups?: readonly string[];
}

/** What puts things there without a request. */
export interface Seeding {
  /** Puts a disk there, ready at once, and its resource group if need be; one that exists stays as it is. Returns its id. */
  addDisk(seed: DiskSeed): string;
  addSnapshot(seed: SnapshotSeed): string;
  addDiskEncryptionSet(seed: DiskEncryptionSetSeed): string;
  addStorageAccount(seed: ArmAccountSeed): string;
  addSubscription(seed: SubscriptionSeed): void;
}

/** What steers the stand-in while it runs. */
export interface Controls {
  /** Returns a disk or snapshot as the API would answer it; undefined where there is none. */
  find(id: string): Readonly<Record<string, unknown>> | undefined;
  /** Makes the next write or delete of a resource, or the next write from it, fail after it was accepted. */
  failNext(id: string, problem: Problem): void;
  /** Takes a permission away; call what comes back to give it again. */
  deny(missing: MissingPermission): () => void;
  /** Makes a region refuse everything about what is in it; lists go on naming it. */
  refuseRegion(location: string, refusal?: Partial<Refusal>): void;
  /** Ends that. */
  acceptRegion(location: string): void;
  setQuota(quota: ArmSettings["quota"]): void;
  /** Changes where answers say how their operations go on. Default: in both headers. */
  setOperationForm(form: OperationForm): void;
}

/** Makes what puts things there. */
export function seedingOf(service: ArmService): Seeding {
  const { state, regions } = service;
  const settle = (place: Place): { location: string; nowMs: number } => {
    const { subscriptionId, resourceGroup } = seedId("disks", { ...place, name: "" });
    addGroups(state, { subscriptionId, resourceGroups: [resourceGroup] }, regions.first);
    return { location: regions.read(place.location ?? regions.first, "seed"), nowMs: service.now().getTime() };
  };
  return {
    addSubscription: (seed) => addGroups(state, seed, regions.first),
    addDisk: (seed) => {
      const { location, nowMs } = settle(seed);
      const disk = makeDisk(seed, location, nowMs);
      if (!state.disks.has(keyOf(disk.id))) state.disks.set(keyOf(disk.id), disk);
      state.save();
      return formatId(disk.id);
    },
    addSnapshot: (seed) => {
      const { location, nowMs } = settle(seed);
      const snapshot = makeSnapshot(seed, location, nowMs);
      if (!state.snapshots.has(keyOf(snapshot.id))) state.snapshots.set(keyOf(snapshot.id), snapshot);
      state.save();
      return formatId(snapshot.id);
    },
    addDiskEncryptionSet: (seed) => {
      const set = makeEncryptionSet(seed, settle(seed).location);
      state.encryptionSets.set(keyOf(set.id), set);
      return formatId(set.id);
    },
    addStorageAccount: (seed) => {
      const account = makeStorageAccount(seed, settle(seed).location);
      state.storageAccounts.set(keyOf(account.id), account);
      return formatId(account.id);
    },
  };
}

function addGroups(state: ArmState, seed: SubscriptionSeed, location: string): void {
  const key = seed.subscriptionId.toLowerCase();
  const tenantId = seed.tenantId ?? azureDefaults.tenantId;
  const subscription = state.subscriptions.get(key) ?? { id: seed.subscriptionId, tenantId, groups: new Map() };
  state.subscriptions.set(key, subscription);
  for (const name of seed.resourceGroups ?? []) subscription.groups.set(name.toLowerCase(), { name, location });
}

const outage: Refusal = {
  status: 503,
  code: "ServiceUnavailable",
  message: "The service is unavailable in this region. Please try again later.",
};

/** Makes what a test steers the stand-in with. */
export function controlsOf(service: ArmService): Controls {
  const { state, regions, permissions, settings, failures } = service;
  return {
    find: (text) => {
      const id = parseId(text);
      const nowMs = service.now().getTime();
      state.sweep(nowMs);
      const disk = id && state.disks.get(keyOf(id));
      const snapshot = id && state.snapshots.get(keyOf(id));
      return disk ? writeDisk(disk, nowMs) : snapshot && writeSnapshot(snapshot, nowMs);
    },
    failNext: (id, problem) => void failures.set(id.toLowerCase(), problem),
    deny: (missing) => permissions.deny(missing),
    refuseRegion: (location, refusal = {}) => regions.setRefusal(location, { ...outage, ...refusal }),
    acceptRegion: (location) => regions.setRefusal(location, undefined),
    setQuota: (quota) => {
      settings.quota = quota;
    },
    setOperationForm: (form) => {
      settings.form = form;
    },
  };
}
