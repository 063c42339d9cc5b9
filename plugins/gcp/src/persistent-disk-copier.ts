import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type {
  Call,
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "@flotilla/sdk/plugin";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import type { Operation, PersistentDiskApi } from "./persistent-disk-api.ts";
import { readCopy, readOrigin } from "./persistent-disk-copy-states.ts";
import type { CopyParts } from "./persistent-disk-copy-states.ts";
import { copyDescription, copyName, copyNames, readCopyMarks } from "./persistent-disk-copy-tags.ts";
import type { CopyMarks } from "./persistent-disk-copy-tags.ts";
import { requireName } from "./persistent-disk-ids.ts";
import type { DiskId, SnapshotId } from "./persistent-disk-ids.ts";
import { createWithLabels } from "./persistent-disk-labels.ts";
import type { PersistentDiskLifecycle } from "./persistent-disk-lifecycle.ts";
import type { TemporaryDisks } from "./persistent-disk-temporary.ts";

/** A location of snapshots that copies go to. */
export interface CopyDestination {
  /** A region, or a multi-region such as `eu`. */
  readonly region: string;
  readonly project: string;
  readonly kmsKeyName: string | undefined;
  /** Where the disk is made that a copy is made of; undefined leaves it to us. */
  readonly zone: string | undefined;
}

/** What copies are made with. */
export interface PersistentDiskCopierOptions {
  readonly api: PersistentDiskApi;
  readonly lifecycle: PersistentDiskLifecycle;
  readonly disks: TemporaryDisks;
  readonly snapshotProject: string;
  readonly snapshotType: "STANDARD" | "ARCHIVE";
  readonly destinations: readonly CopyDestination[];
}

// No bound of the service's: each copy on its way is a disk that is paid for and counts against a quota.
const maxConcurrent = 32;

/**
 * Copies of snapshots in other locations. Compute Engine copies no snapshot: a disk is made of it, of which a snapshot is
 * taken that is stored there, and the disk is removed. Disk and copy have one name, which follows from the origin.
 */
export class PersistentDiskCopier implements SnapshotCopier {
  readonly #options: PersistentDiskCopierOptions;
  readonly #api: PersistentDiskApi;

  constructor(options: PersistentDiskCopierOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  async targets(): Promise<readonly CopyRegion[]> {
    return this.#options.destinations.map(({ region }) => ({ region, maxConcurrent, isSerialPerVolume: false }));
  }

  async *listOrigins({ backup, snapshotIds }: OriginQuery, call: Call): AsyncGenerator<SnapshotOrigin> {
    const { snapshotProject: project } = this.#options;
    const found =
      snapshotIds === undefined ? this.#api.listSnapshots(project, undefined, call) : this.#named(snapshotIds, call);
    for await (const snapshot of found) {
      const origin = readOrigin(snapshot.name ?? "", snapshot);
      const isCopy = readCopyMarks(snapshot.description) !== undefined;
      const isWanted = snapshotIds !== undefined || (origin.backup !== "" && !isCopy);
      if (isWanted && (backup === undefined || origin.backup === backup)) yield origin;
    }
  }

  async *listCopies({ region, originId }: CopyQuery, call: Call): AsyncGenerator<SnapshotCopy> {
    const { snapshotProject } = this.#options;
    const { project } = this.#destination(region);
    const name = originId === undefined ? undefined : this.#nameOf(originId, region, project);
    const isOurs = (marks: CopyMarks | undefined): marks is CopyMarks =>
      marks?.to === region && marks.project === snapshotProject;
    const parts = new Map<string, CopyParts>();
    // The disks first: one whose copy is complete a moment later is still told of as what it is.
    for await (const { id, disk } of this.#options.disks.list(name, call)) {
      const marks = readCopyMarks(disk.description);
      if (isOurs(marks) && !isLeaving(disk)) parts.set(id.name, { name: id.name, marks, disk, snapshot: undefined });
    }
    for await (const snapshot of this.#copiesIn(project, name, call)) {
      const marks = readCopyMarks(snapshot.description);
      const { name: copyId = "" } = snapshot;
      if (isOurs(marks) && !isLeaving(snapshot))
        parts.set(copyId, { name: copyId, marks, disk: parts.get(copyId)?.disk, snapshot });
    }
    for (const part of parts.values()) yield readCopy(part);
  }

  async startCopy(
    { originId, region }: { readonly originId: string; readonly region: string },
    call: Call,
  ): Promise<string> {
    const { snapshotProject, lifecycle, disks } = this.#options;
    const destination = this.#destination(region);
    const origin = await this.#api.getSnapshot(this.#originOf(originId), call);
    if (origin.status !== "READY")
      throw new PluginError(`copy snapshot "${originId}" to ${region}: it is ${origin.status ?? "in no state"}`, {
        kind: "conflict",
      });
    const marks = { copyOf: originId, project: snapshotProject, from: origin.storageLocations?.[0] ?? "", to: region };
    const name = copyName(marks, destination.project);
    const { id, content } = await disks.planned(name, origin, marks, destination, call);
    await lifecycle.create(
      id,
      async (call): Promise<Operation> =>
        await createWithLabels("disks", content, async (one) => await this.#api.createDisk(id, one, call), call),
      call,
    );
    return name;
  }

  async tendCopy({ region, copyId }: CopyRef, call: Call): Promise<void> {
    const { lifecycle, disks } = this.#options;
    const destination = this.#destination(region);
    const found = await disks.find(copyId, call);
    if (found === undefined) return;
    const id: SnapshotId = { type: "snapshots", project: destination.project, name: requireName(copyId, "snapshot") };
    const snapshot = await unlessAbsent(async () => await this.#api.getSnapshot(id, call));
    if (snapshot?.status === "READY") {
      await unlessAbsent(async () => await lifecycle.delete(found.id, call));
      return;
    }
    if (snapshot === undefined && found.disk.status === "READY") await this.#takeSnapshot(id, found, destination, call);
  }

  async deleteCopy({ region, copyId }: CopyRef, call: Call): Promise<void> {
    const { destinations, snapshotProject, disks, lifecycle } = this.#options;
    const target = destinations.find((one) => one.region === region);
    const name = requireName(copyId, "snapshot");
    let isFound = false;
    for (const project of new Set([target?.project ?? snapshotProject, snapshotProject])) {
      const id: SnapshotId = { type: "snapshots", project, name };
      const snapshot = await unlessAbsent(async () => await this.#api.getSnapshot(id, call));
      if (snapshot === undefined) continue;
      // Whoever names an origin here would lose the backup itself.
      if (readCopyMarks(snapshot.description)?.to !== region) throw noCopy(copyId, region);
      isFound = true;
      await unlessAbsent(async () => await lifecycle.delete(id, call));
      break;
    }
    const temporary = target === undefined ? undefined : await disks.find(name, call);
    if (temporary !== undefined) {
      isFound = true;
      await unlessAbsent(async () => await lifecycle.delete(temporary.id, call));
    }
    if (!isFound) throw new PluginError(`delete the copy ${copyId} in ${region}: not found`, { kind: "not-found" });
  }

  /**
   * Snapshots can be restored anywhere, so that every copy in the location's project is near enough. Velero's own role may
   * not list: for such a location a snapshot that is gone stays one that is gone.
   */
  async localCopies(originId: string, call: Call): Promise<readonly SnapshotCopy[]> {
    const copies: SnapshotCopy[] = [];
    try {
      for await (const snapshot of this.#copiesIn(this.#options.snapshotProject, undefined, call)) {
        const marks = readCopyMarks(snapshot.description);
        if (marks?.copyOf !== originId || isLeaving(snapshot)) continue;
        copies.push(readCopy({ name: snapshot.name ?? "", marks, snapshot, disk: undefined }));
      }
    } catch (error) {
      if (!isKind(error, "denied")) throw error;
      call.log.info("copies of the snapshot cannot be looked for", { snapshotId: originId, reason: error.message });
    }
    return copies;
  }

  async #takeSnapshot(
    id: SnapshotId,
    temporary: { readonly id: DiskId; readonly disk: GceDisk },
    { kmsKeyName, region }: CopyDestination,
    call: Call,
  ): Promise<void> {
    const { lifecycle, snapshotType } = this.#options;
    const { selfLink: sourceDisk = "", description: said } = temporary.disk;
    const marks = readCopyMarks(said);
    if (marks?.to !== region) throw noCopy(id.name, region);
    const origin = await this.#api.getSnapshot(this.#originOf(marks.copyOf), call);
    const { description, dropped } = copyDescription(origin.description ?? "", marks, kmsKeyName);
    if (dropped.length > 0)
      call.log.info("some tags are not on the copy: its description has no room for them", {
        snapshotId: marks.copyOf,
        region,
        tags: dropped.join(", "),
      });
    const content: GceSnapshot = {
      name: id.name,
      sourceDisk,
      description,
      snapshotType,
      storageLocations: [region],
      ...(origin.labels === undefined ? {} : { labels: origin.labels }),
      ...(kmsKeyName === undefined ? {} : { snapshotEncryptionKey: { kmsKeyName } }),
    };
    const create = async (one: GceSnapshot, call: Call): Promise<Operation> =>
      await this.#api.createSnapshot(id, one, call);
    await lifecycle.create(
      id,
      async (call) => await createWithLabels("snapshots", content, async (one) => await create(one, call), call),
      call,
    );
  }

  async *#copiesIn(project: string, name: string | undefined, call: Call): AsyncGenerator<GceSnapshot> {
    if (name === undefined) yield* this.#api.listSnapshots(project, `name eq "${copyNames}"`, call);
    else {
      const id: SnapshotId = { type: "snapshots", project, name };
      const snapshot = await unlessAbsent(async () => await this.#api.getSnapshot(id, call));
      if (snapshot !== undefined) yield snapshot;
    }
  }

  async *#named(ids: readonly string[], call: Call): AsyncGenerator<GceSnapshot> {
    for (const id of ids) {
      const snapshot = await unlessAbsent(async () => await this.#api.getSnapshot(this.#originOf(id), call));
      if (snapshot !== undefined) yield { ...snapshot, name: id };
    }
  }

  #originOf(originId: string): SnapshotId {
    return { type: "snapshots", project: this.#options.snapshotProject, name: requireName(originId, "snapshot") };
  }

  #nameOf(originId: string, region: string, targetProject: string): string {
    return copyName({ copyOf: originId, project: this.#options.snapshotProject, to: region }, targetProject);
  }

  #destination(region: string): CopyDestination {
    const found = this.#options.destinations.find((one) => one.region === region);
    if (found !== undefined) return found;
    throw new PluginError(`${region} is not in the location's key copyToRegions; add it there`, {
      kind: "invalid-argument",
    });
  }
}

async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}

/** What is being deleted is as good as gone. */
function isLeaving({ status }: GceDisk | GceSnapshot): boolean {
  return status === "DELETING";
}

function noCopy(name: string, region: string): PluginError {
  return new PluginError(`"${name}" does not say that it is a copy for ${region}, and is left alone`, {
    kind: "invalid-argument",
  });
}
