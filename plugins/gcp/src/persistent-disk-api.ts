import { randomUUID } from "node:crypto";
import type { Attempt } from "@flotilla/sdk/network";
import { isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { isRecord } from "./answers.ts";
import { describeLateFailure } from "./gce-errors.ts";
import { RunningOperation } from "./gce-operation.ts";
import type { GceDisk, GceOperation, GceProject, GceSnapshot } from "./gce-resources.ts";
import type { GceRequest, GceSession } from "./gce-session.ts";
import type { DiskId, DiskLocation, GceId, SnapshotId } from "./persistent-disk-ids.ts";

/** What remains of a request that Compute Engine goes on with. */
export type Operation = Pick<RunningOperation, "look">;

// The most that the service puts on one.
const pageSize = 500;

/** The requests to Compute Engine that snapshots need. Every failure is a PluginError. */
export interface PersistentDiskApi {
  /** An unknown disk throws `not-found`. */
  getDisk(disk: DiskId, call: Call): Promise<GceDisk>;
  /** An unknown snapshot throws `not-found`. */
  getSnapshot(snapshot: SnapshotId, call: Call): Promise<GceSnapshot>;
  /** The snapshots of a project, of those that a filter of the service's leaves. */
  listSnapshots(project: string, filter: string | undefined, call: Call): AsyncIterable<GceSnapshot>;
  /** The same for the disks in all its zones and regions. */
  listDisks(project: string, filter: string, call: Call): AsyncIterable<GceDisk>;
  /** The names of a region's zones. */
  listZones(project: string, region: string, call: Call): Promise<readonly string[]>;
  /** Whether disks of a type can be made in a place. */
  hasDiskType(project: string, location: DiskLocation, type: string, call: Call): Promise<boolean>;
  /** The quotas of a project among others. */
  getProject(project: string, call: Call): Promise<GceProject>;
  /** Starts a snapshot; repeatable, since the name is the caller's. */
  createSnapshot(snapshot: SnapshotId, content: GceSnapshot, call: Call): Promise<Operation>;
  /** Starts a disk; repeatable, since the name is the caller's. */
  createDisk(disk: DiskId, content: GceDisk, call: Call): Promise<Operation>;
  /** An unknown disk or snapshot throws `not-found`. */
  delete(id: GceId, call: Call): Promise<Operation>;
  /** An operation on a disk or snapshot. */
  getOperation(id: GceId, name: string, call: Call): Promise<GceOperation>;
}

/** Compute Engine itself. */
export class GcePersistentDiskApi implements PersistentDiskApi {
  readonly #session: GceSession;

  constructor(session: GceSession) {
    this.#session = session;
  }

  async getDisk(disk: DiskId, call: Call): Promise<GceDisk> {
    return await this.#get<GceDisk>(disk, "compute.disks.get", call);
  }

  async getSnapshot(snapshot: SnapshotId, call: Call): Promise<GceSnapshot> {
    return await this.#get<GceSnapshot>(snapshot, "compute.snapshots.get", call);
  }

  async *listSnapshots(project: string, filter: string | undefined, call: Call): AsyncGenerator<GceSnapshot> {
    const attempt = { action: `list the snapshots of project "${project}"`, permission: "compute.snapshots.list" };
    for await (const { items } of this.#pages(["projects", project, "global", "snapshots"], filter, attempt, call))
      // The reference gives the form of the answer.
      if (Array.isArray(items)) yield* items as readonly GceSnapshot[];
  }

  async *listDisks(project: string, filter: string, call: Call): AsyncGenerator<GceDisk> {
    const attempt = { action: `list the disks of project "${project}"`, permission: "compute.disks.list" };
    for await (const { items } of this.#pages(["projects", project, "aggregated", "disks"], filter, attempt, call))
      for (const place of isRecord(items) ? Object.values(items) : [])
        // The reference gives the form of the answer.
        if (isRecord(place) && Array.isArray(place["disks"])) yield* place["disks"] as readonly GceDisk[];
  }

  async listZones(project: string, region: string, call: Call): Promise<readonly string[]> {
    const attempt = { action: `find the zones of region ${region}`, permission: "compute.regions.get" };
    const path = ["projects", project, "regions", region];
    const { zones } = await this.#session.run({ method: "GET", path, query: { fields: "zones" } }, attempt, call);
    const urls = Array.isArray(zones) ? zones.filter((zone) => typeof zone === "string") : [];
    return urls.map((url) => url.slice(url.lastIndexOf("/") + 1));
  }

  async hasDiskType(project: string, location: DiskLocation, type: string, call: Call): Promise<boolean> {
    const subject = `disk type "${type}" in ${location.name}`;
    const attempt = { action: `look up ${subject}`, permission: "compute.diskTypes.get", subject };
    const path = ["projects", project, location.scope, location.name, "diskTypes", type];
    try {
      await this.#session.run({ method: "GET", path, query: { fields: "name" } }, attempt, call);
      return true;
    } catch (error) {
      if (isKind(error, "not-found")) return false;
      throw error;
    }
  }

  async getProject(project: string, call: Call): Promise<GceProject> {
    const attempt = { action: `read the quotas of project "${project}"`, permission: "compute.projects.get" };
    const request: GceRequest = { method: "GET", path: ["projects", project], query: { fields: "quotas" } };
    return await this.#session.run(request, attempt, call);
  }

  async createSnapshot(snapshot: SnapshotId, content: GceSnapshot, call: Call): Promise<Operation> {
    const permission = "compute.snapshots.create and compute.disks.createSnapshot";
    return await this.#start({ method: "POST", path: listOf(snapshot), body: content }, snapshot, permission, call);
  }

  async createDisk(disk: DiskId, content: GceDisk, call: Call): Promise<Operation> {
    const permission = "compute.disks.create and compute.snapshots.useReadOnly";
    return await this.#start({ method: "POST", path: listOf(disk), body: content }, disk, permission, call);
  }

  async delete(id: GceId, call: Call): Promise<Operation> {
    return await this.#start({ method: "DELETE", path: pathOf(id) }, id, `compute.${id.type}.delete`, call);
  }

  async getOperation(id: GceId, name: string, call: Call): Promise<GceOperation> {
    const attempt = {
      action: `look how far the work on ${nameInWords(id)} is`,
      permission: `compute.${operationScopeOf(id)}Operations.get`,
      subject: `operation "${name}"`,
    };
    const request: GceRequest = { method: "GET", path: [...placeOf(id), "operations", name] };
    return await this.#session.run(request, attempt, call);
  }

  async #get<T>(id: GceId, permission: string, call: Call): Promise<T> {
    const subject = nameInWords(id);
    const attempt = { action: `read ${subject}`, permission, subject };
    // The reference gives the form of the answer.
    return (await this.#session.run({ method: "GET", path: pathOf(id) }, attempt, call)) as T;
  }

  async *#pages(
    path: readonly string[],
    filter: string | undefined,
    attempt: Attempt,
    call: Call,
  ): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const query = { maxResults: String(pageSize), ...(filter === undefined ? {} : { filter }) };
    let pageToken: unknown;
    do {
      const more = typeof pageToken === "string" ? { pageToken } : {};
      const page = await this.#session.run({ method: "GET", path, query: { ...query, ...more } }, attempt, call);
      yield page;
      pageToken = page["nextPageToken"];
    } while (typeof pageToken === "string" && pageToken !== "");
  }

  async #start(request: GceRequest, id: GceId, permission: string, call: Call): Promise<Operation> {
    const subject = nameInWords(id);
    const attempt: Attempt =
      request.method === "DELETE"
        ? { action: `delete ${subject}`, permission, subject }
        : { action: `create ${subject}`, permission };
    const query = { requestId: randomUUID() };
    const first: GceOperation = await this.#session.run({ ...request, query }, attempt, call);
    return new RunningOperation(first, {
      get: async (name, call) => await this.getOperation(id, name, call),
      describe: (operation) => describeLateFailure(operation, attempt),
    });
  }
}

/** A disk or snapshot as messages name it. */
export function nameInWords(id: GceId): string {
  const { name, project } = id;
  if (id.type === "snapshots") return `snapshot "${name}" in project "${project}"`;
  const { scope, name: place } = id.location;
  return `disk "${name}" in ${scope === "zones" ? "zone" : "region"} ${place} of project "${project}"`;
}

function placeOf(id: GceId): readonly string[] {
  const place = id.type === "snapshots" ? ["global"] : [id.location.scope, id.location.name];
  return ["projects", id.project, ...place];
}

function listOf(id: GceId): readonly string[] {
  return [...placeOf(id), id.type];
}

function pathOf(id: GceId): readonly string[] {
  return [...listOf(id), id.name];
}

function operationScopeOf(id: GceId): "global" | "zone" | "region" {
  if (id.type === "snapshots") return "global";
  return id.location.scope === "zones" ? "zone" : "region";
}
