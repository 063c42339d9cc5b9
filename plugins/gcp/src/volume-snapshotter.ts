import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type {
  Call,
  OpenContext,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  SnapshotDescription,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
} from "@flotilla/sdk/plugin";
import { withSnapshotCopies } from "@flotilla/sdk/volumes";
import { openConnection } from "./client.ts";
import type { Connection } from "./client.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { translateGceAnswer } from "./gce-errors.ts";
import type { GceDisk } from "./gce-resources.ts";
import { GceSession, rootOf } from "./gce-session.ts";
import { GcePersistentDiskApi } from "./persistent-disk-api.ts";
import type { Operation } from "./persistent-disk-api.ts";
import { checkVolumeSnapshotter } from "./persistent-disk-check.ts";
import { PersistentDiskCopier } from "./persistent-disk-copier.ts";
import { copyDestinations } from "./persistent-disk-destinations.ts";
import { newDiskName, newSnapshotName, parseDiskUrl, requireName } from "./persistent-disk-ids.ts";
import type { DiskId, DiskLocation, SnapshotId } from "./persistent-disk-ids.ts";
import { createWithLabels } from "./persistent-disk-labels.ts";
import { PersistentDiskLifecycle } from "./persistent-disk-lifecycle.ts";
import type { LifecycleOptions } from "./persistent-disk-lifecycle.ts";
import { marksOf, readMarks, recordedPlace } from "./persistent-disk-marks.ts";
import { readVolumeSource, writeVolumeId, zonesSaid } from "./persistent-disk-persistent-volume.ts";
import { PersistentDiskPlaces } from "./persistent-disk-places.ts";
import { requireSnapshotQuota } from "./persistent-disk-quota.ts";
import { diskOf, snapshotOf } from "./persistent-disk-requests.ts";
import type { SnapshotSettings } from "./persistent-disk-requests.ts";
import { readTags, snapshotDescription } from "./persistent-disk-tags.ts";
import { TemporaryDisks } from "./persistent-disk-temporary.ts";
import { hasIops } from "./persistent-disk-type.ts";
import { DiskTypesThere } from "./persistent-disk-types-there.ts";
import { DiskWhereabouts, placeOfDisk, projectOfDisk } from "./persistent-disk-whereabouts.ts";

// No more than is needed, as the official plugin asks for.
const computeScope = "https://www.googleapis.com/auth/compute";

// Of all locations of the process: the one that reads a PersistentVolume need not be the one whose disk it is.
const whereabouts = new DiskWhereabouts();

/** Opens a VolumeSnapshotLocation. Compute Engine is asked for nothing; only a node is asked which project it is of. */
export async function openVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  context: OpenContext,
): Promise<OpenedVolumeSnapshotter> {
  const connection = await openConnection({ ...config, insecureSkipVerify: false, billsByOwnFileOnly: true }, context);
  const diskProject = config.volumeProject ?? (await projectOf(connection, context));
  const snapshotProject = config.project ?? diskProject;
  const endpoint = config.endpoint ?? new URL(`https://compute.${connection.universeDomain}`);
  const session = new GceSession({
    api: connection.api(computeScope, translateGceAnswer),
    root: rootOf(endpoint),
    clock: systemClock,
    random: Math.random,
  });
  const api = new GcePersistentDiskApi(session);
  const { snapshotLocation, snapshotType, kmsKeyName, waitTimeout: waitTimeoutMs } = config;
  const waiting = {
    isWaiting: config.wait === "completed",
    waitTimeoutMs,
    clock: systemClock,
    random: Math.random,
  };
  const snapshotter = new PersistentDiskVolumeSnapshotter({
    api,
    ...waiting,
    diskProject,
    snapshotProject,
    whereabouts,
    snapshotLocation,
    snapshotType,
    kmsKeyName,
    places: new PersistentDiskPlaces(config),
    types: new DiskTypesThere(api, diskProject),
  });
  const destinations = copyDestinations(config, snapshotProject);
  const opened = Object.assign(snapshotter, {
    check: (call: Call) => checkVolumeSnapshotter({ config, api, diskProject, snapshotProject, destinations }, call),
    close: async () => connection.close(),
  });
  const copier = new PersistentDiskCopier({
    api,
    // Each step is only begun; the next look at the copy tells what came of it.
    lifecycle: new PersistentDiskLifecycle({ api, ...waiting, isWaiting: false }),
    disks: new TemporaryDisks(api, diskProject),
    snapshotProject,
    snapshotType,
    destinations,
  });
  // A disk can be made of a complete snapshot only.
  return withSnapshotCopies(opened, copier, { ...waiting, copiesUnfinished: false });
}

/** What a snapshotter works with. */
export interface PersistentDiskVolumeSnapshotterOptions extends LifecycleOptions, SnapshotSettings {
  /** Where the disks are, and where they are restored. */
  readonly diskProject: string;
  readonly snapshotProject: string;
  /** Shared by the locations of a process. */
  readonly whereabouts: DiskWhereabouts;
  readonly places: PersistentDiskPlaces;
  readonly types: DiskTypesThere;
}

/** Snapshots of the persistent disks of one project. */
export class PersistentDiskVolumeSnapshotter implements OpenedVolumeSnapshotter {
  readonly #options: PersistentDiskVolumeSnapshotterOptions;
  readonly #lifecycle: PersistentDiskLifecycle;
  /** Snapshots that this location made: their names do not tell the project. */
  readonly #made = new Set<string>();
  /** Disks that this location restored, with their places. */
  readonly #restored = new Map<string, DiskLocation>();

  constructor(options: PersistentDiskVolumeSnapshotterOptions) {
    this.#options = options;
    this.#lifecycle = new PersistentDiskLifecycle(options);
  }

  affinity(id: string): number {
    if (this.#made.has(id) || this.#restored.has(id)) return 2;
    return this.#options.whereabouts.of(id)?.project === this.#options.diskProject ? 1 : 0;
  }

  async getVolumeInfo(volume: VolumeRef, call: Call): Promise<VolumeInfo> {
    const { type = "", provisionedIops } = await this.#options.api.getDisk(this.#diskOf(volume), call);
    const iops = hasIops(type) && provisionedIops !== undefined ? BigInt(provisionedIops) : undefined;
    return { volumeType: type, iops };
  }

  async createSnapshot(request: SnapshotRequest, call: Call): Promise<string> {
    const { api, snapshotProject } = this.#options;
    const disk = this.#diskOf(request);
    const found = await api.getDisk(disk, call);
    await requireSnapshotQuota(api, snapshotProject, call);
    const sources = { server: request.tags, marks: marksOf(found, request.volumeAz), disk: found.description ?? "" };
    const { description, dropped } = snapshotDescription(sources);
    if (dropped.length > 0)
      call.log.info("some tags are not on the snapshot: its description has no room for them", {
        volumeId: disk.name,
        tags: dropped.join(", "),
      });
    const snapshot: SnapshotId = { type: "snapshots", project: snapshotProject, name: newSnapshotName(disk.name) };
    const content = snapshotOf(snapshot.name, found, description, this.#options);
    await this.#lifecycle.create(
      snapshot,
      async (call): Promise<Operation> =>
        await createWithLabels(
          "snapshots",
          content,
          async (one) => await api.createSnapshot(snapshot, one, call),
          call,
        ),
      call,
    );
    this.#made.add(snapshot.name);
    return snapshot.name;
  }

  async createVolumeFromSnapshot(request: VolumeFromSnapshot, call: Call): Promise<string> {
    const { api, diskProject: project, places, types } = this.#options;
    const { snapshotId, volumeAz, volumeType: recordedType } = request;
    const found = await this.#lifecycle.usable(this.#snapshotOf(snapshotId), call);
    const place = recordedPlace(volumeAz, readMarks(readTags(found.description ?? "")));
    const { location, isMoved } = places.choose(snapshotId, place, parseDiskUrl(found.sourceDisk ?? ""), call);
    const volumeType = isMoved ? await types.choose(snapshotId, recordedType, location, call) : recordedType;
    const disk: DiskId = { type: "disks", project, location, name: newDiskName() };
    const wanted = { ...request, volumeType, isOtherType: volumeType !== recordedType };
    const content = diskOf(disk, found, wanted, this.#options);
    await this.#lifecycle.create(
      disk,
      async (call): Promise<Operation> =>
        await createWithLabels("disks", content, async (one) => await api.createDisk(disk, one, call), call),
      call,
    );
    this.#restored.set(disk.name, location);
    return disk.name;
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    await this.#lifecycle.delete(this.#snapshotOf(snapshotId), call);
  }

  async getVolumeId(volume: PersistentVolume, call: Call): Promise<string> {
    const source = readVolumeSource(volume);
    if (source === undefined) call.log.debug("the PersistentVolume is not a persistent disk of Compute Engine");
    if (source?.handle !== undefined) this.#options.whereabouts.learn(source.handle);
    return source?.name ?? "";
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string, call: Call): Promise<PersistentVolume> {
    const { diskProject: project, places } = this.#options;
    let location = this.#restored.get(volumeId);
    // Another process may have restored it; only a PersistentVolume that cannot be right is worth a request.
    if (location === undefined && places.isElsewhere(zonesSaid(volume))) location = await this.#lookUp(volumeId, call);
    return writeVolumeId(volume, { name: volumeId, project, location });
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription> {
    const snapshot = await this.#options.api.getSnapshot(this.#snapshotOf(snapshotId), call);
    const { status = "", sourceDisk = "", diskSizeGb = "0", creationTimestamp, description = "" } = snapshot;
    return {
      snapshotId,
      volumeId: parseDiskUrl(sourceDisk)?.name ?? "",
      state: status,
      progressPercent: status === "READY" ? 100 : 0,
      volumeSizeBytes: BigInt(diskSizeGb) * 1024n ** 3n,
      // Compute Engine keeps nothing in the clear; the key is Google's or the customer's.
      encrypted: true,
      startedAt: creationTimestamp === undefined ? undefined : new Date(creationTimestamp),
      tags: { ...snapshot.labels, ...readTags(description) },
    };
  }

  /** A disk that is nowhere is another location's, or gone: a PersistentVolume that stays where it was would hide that. */
  async #lookUp(volumeId: string, call: Call): Promise<DiskLocation> {
    const { api, diskProject } = this.#options;
    const name = requireName(volumeId, "volume");
    for await (const disk of api.listDisks(diskProject, `name eq "${name}"`, call)) {
      const found = locationOf(disk);
      if (found !== undefined) return found;
    }
    throw new PluginError(`disk "${name}" not found in any zone or region of project "${diskProject}"`, {
      kind: "not-found",
    });
  }

  #snapshotOf(snapshotId: string): SnapshotId {
    return { type: "snapshots", project: this.#options.snapshotProject, name: requireName(snapshotId, "snapshot") };
  }

  #diskOf({ volumeId, volumeAz }: VolumeRef): DiskId {
    const { diskProject, whereabouts } = this.#options;
    const name = requireName(volumeId, "volume");
    const handle = whereabouts.of(name);
    return {
      type: "disks",
      project: projectOfDisk(diskProject, handle),
      location: placeOfDisk(volumeAz, handle),
      name,
    };
  }
}

function locationOf({ selfLink = "", replicaZones = [] }: GceDisk): DiskLocation | undefined {
  const at = parseDiskUrl(selfLink);
  if (at === undefined) return undefined;
  const zones = replicaZones.map((url) => url.slice(url.lastIndexOf("/") + 1));
  return at.scope === "zones"
    ? { scope: "zones", name: at.location }
    : { scope: "regions", name: at.location, replicaZones: zones };
}

async function projectOf(connection: Connection, call: Call): Promise<string> {
  const project = await connection.projectId(call);
  if (project !== undefined) return project;
  throw new PluginError(
    `${connection.credentials} names no project; set the location's key volumeProject to the project of the cluster's disks`,
    { kind: "invalid-config" },
  );
}
