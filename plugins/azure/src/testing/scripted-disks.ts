import type { Disk, Snapshot } from "@azure/arm-compute";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Observed } from "@flotilla/sdk/volumes";
import type { OperationEnd } from "../arm-operation.ts";
import type { ManagedDiskApi, Operation } from "../managed-disk-api.ts";
import { printComputeId } from "../managed-disk-ids.ts";
import type { ComputeId, EncryptionSetId } from "../managed-disk-ids.ts";
import type { RestoreRules } from "../managed-disk-restore.ts";
import { RegionDiskTypes } from "../managed-disk-types.ts";
import type { DiskTypes } from "../managed-disk-types.ts";

type Step<T> = T | PluginError;

/** Still going on. */
export const pending: Observed<OperationEnd> = { done: false, progress: "InProgress, 40 %" };

/** Done well. */
export const succeeded: Observed<OperationEnd> = { done: true, value: "succeeded" };

/** An Azure of one disk and one snapshot, whose answers a test lines up; the last one of each stays. */
export class ScriptedDisks implements ManagedDiskApi {
  readonly asked: string[] = [];
  readonly created: { readonly id: ComputeId; readonly content: Disk & Snapshot }[] = [];
  readonly deleted: string[] = [];
  disks: Step<Disk>[] = [{ location: "westeurope", sku: { name: "Premium_LRS" } }];
  snapshots: Step<Snapshot>[] = [{ location: "westeurope", completionPercent: 100 }];
  /** What the first request of a creation throws. */
  refusals: PluginError[] = [];
  looks: Step<Observed<OperationEnd>>[] = [succeeded];
  deletions: Step<{ readonly status: number }>[] = [{ status: 202 }];
  deletionLooks: Step<Observed<OperationEnd>>[] = [succeeded];
  region: string | undefined = "westeurope";
  encryptionSets: readonly string[] = [];
  listed: readonly Snapshot[] = [];
  diskTypes: Step<DiskTypes> = new Map();
  /** What a look at a disk encryption set throws. */
  encryptionSetRefusal: PluginError | undefined;

  async getDisk(disk: ComputeId): Promise<Disk> {
    this.asked.push(printComputeId(disk));
    return next(this.disks);
  }

  async getSnapshot(snapshot: ComputeId): Promise<Snapshot> {
    this.asked.push(printComputeId(snapshot));
    return next(this.snapshots);
  }

  async createSnapshot(id: ComputeId, content: Snapshot): Promise<Operation> {
    return this.#create(id, content);
  }

  async copySnapshot(id: ComputeId, content: Snapshot): Promise<Operation> {
    return this.#create(id, content);
  }

  async createDisk(id: ComputeId, content: Disk): Promise<Operation> {
    return this.#create(id, content);
  }

  async delete(id: ComputeId): Promise<Operation> {
    this.deleted.push(printComputeId(id));
    const { status } = next(this.deletions);
    return { status, look: async () => next(this.deletionLooks) };
  }

  async readEncryptionSet({ name }: EncryptionSetId): Promise<void> {
    this.asked.push(name);
    if (this.encryptionSetRefusal !== undefined) throw this.encryptionSetRefusal;
  }

  async encryptionSetsIn(): Promise<readonly string[]> {
    return this.encryptionSets;
  }

  async snapshotsIn(): Promise<readonly Snapshot[]> {
    return this.listed;
  }

  async diskTypesIn(): Promise<DiskTypes> {
    this.asked.push("types");
    if (this.diskTypes instanceof PluginError) throw this.diskTypes;
    return this.diskTypes;
  }

  async regionIn(): Promise<string | undefined> {
    return this.region;
  }

  #create(id: ComputeId, content: Disk | Snapshot): Operation {
    this.created.push({ id, content });
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    return { status: 202, look: async () => next(this.looks) };
  }
}

/** Rules of a location that says nothing about other regions, but for what is given. */
export function restoreRules(api: ScriptedDisks, rules: Partial<RestoreRules> = {}): RestoreRules {
  const types = new RegionDiskTypes(api, "0000-aa");
  return {
    region: undefined,
    zoneMap: new Map(),
    defaultZone: undefined,
    diskEncryptionSet: undefined,
    types,
    ...rules,
  };
}

function next<T>(steps: Step<T>[]): T {
  const step = steps.length > 1 ? steps.shift() : steps[0];
  if (step === undefined) throw new Error("no answer was lined up");
  if (step instanceof PluginError) throw step;
  return step;
}
