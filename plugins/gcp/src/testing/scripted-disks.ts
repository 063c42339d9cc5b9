import { PluginError } from "@flotilla/sdk/plugin";
import type { Observed } from "@flotilla/sdk/volumes";
import type { OperationEnd } from "../gce-operation.ts";
import type { GceDisk, GceOperation, GceProject, GceSnapshot } from "../gce-resources.ts";
import type { Operation, PersistentDiskApi } from "../persistent-disk-api.ts";
import { printGceId } from "../persistent-disk-ids.ts";
import type { DiskId, DiskLocation, GceId, SnapshotId } from "../persistent-disk-ids.ts";

type Step<T> = T | PluginError;

/** Still going on. */
export const pending: Observed<OperationEnd> = { done: false, progress: "RUNNING, 40 %" };

/** Done well. */
export const succeeded: Observed<OperationEnd> = { done: true, value: "succeeded" };

/** A Compute Engine of one disk and one snapshot, whose answers a test lines up; the last one of each stays. */
export class ScriptedDisks implements PersistentDiskApi {
  readonly asked: string[] = [];
  readonly created: { readonly id: GceId; readonly content: GceDisk & GceSnapshot }[] = [];
  readonly deleted: string[] = [];
  disks: Step<GceDisk>[] = [{ type: "zones/z/diskTypes/pd-balanced", selfLink: "disk-link" }];
  snapshots: Step<GceSnapshot>[] = [{ status: "READY", selfLink: "snapshot-link" }];
  projects: Step<GceProject>[] = [{ quotas: [{ metric: "SNAPSHOTS", limit: 10, usage: 9 }] }];
  snapshotLists: Step<readonly GceSnapshot[]>[] = [[]];
  diskLists: Step<readonly GceDisk[]>[] = [[]];
  zones: Step<readonly string[]>[] = [["us-central1-a"]];
  diskTypes: Step<readonly string[]>[] = [["pd-balanced"]];
  operations: Step<GceOperation>[] = [{ status: "DONE" }];
  /** What the first request of a creation throws. */
  refusals: (PluginError | undefined)[] = [];
  looks: Step<Observed<OperationEnd>>[] = [succeeded];
  deletions: (PluginError | undefined)[] = [undefined];
  deletionLooks: Step<Observed<OperationEnd>>[] = [succeeded];

  async getDisk(disk: DiskId): Promise<GceDisk> {
    this.asked.push(printGceId(disk));
    return next(this.disks);
  }

  async getSnapshot(snapshot: SnapshotId): Promise<GceSnapshot> {
    this.asked.push(printGceId(snapshot));
    return next(this.snapshots);
  }

  async *listSnapshots(project: string): AsyncGenerator<GceSnapshot> {
    this.asked.push(`${project}/snapshots`);
    yield* next(this.snapshotLists);
  }

  async *listDisks(project: string): AsyncGenerator<GceDisk> {
    this.asked.push(`${project}/disks`);
    yield* next(this.diskLists);
  }

  async listZones(project: string, region: string): Promise<readonly string[]> {
    this.asked.push(`${project}/${region}`);
    return next(this.zones);
  }

  async hasDiskType(_project: string, { name }: DiskLocation, type: string): Promise<boolean> {
    this.asked.push(`${name}/${type}`);
    return next(this.diskTypes).includes(type);
  }

  async getProject(project: string): Promise<GceProject> {
    this.asked.push(project);
    return next(this.projects);
  }

  async createSnapshot(id: SnapshotId, content: GceSnapshot): Promise<Operation> {
    return this.#create(id, content);
  }

  async createDisk(id: DiskId, content: GceDisk): Promise<Operation> {
    return this.#create(id, content);
  }

  async delete(id: GceId): Promise<Operation> {
    this.deleted.push(printGceId(id));
    const refusal = this.deletions.length > 1 ? this.deletions.shift() : this.deletions[0];
    if (refusal !== undefined) throw refusal;
    return { look: async () => next(this.deletionLooks) };
  }

  async getOperation(): Promise<GceOperation> {
    return next(this.operations);
  }

  #create(id: GceId, content: GceDisk | GceSnapshot): Operation {
    this.created.push({ id, content });
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    return { look: async () => next(this.looks) };
  }
}

function next<T>(steps: Step<T>[]): T {
  const step = steps.length > 1 ? steps.shift() : steps[0];
  if (step === undefined) throw new Error("no answer was lined up");
  if (step instanceof PluginError) throw step;
  return step;
}
