import { join } from "node:path";

import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type {
  Call,
  Clock,
  FileSnapshot,
  FileSnapshotSelection,
  Finding,
  OpenContext,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  RestoreFilesProgress,
  SnapshotDescription,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
} from "@flotilla/sdk/plugin";
import { withSnapshotCopies } from "@flotilla/sdk/volumes";

import { checkRepositoryData } from "./repository-data.ts";
import { Repository } from "./repository.ts";
import { veleroDefaultPassword } from "./velero-repository.ts";
import { openSecondRepository } from "./second-repository.ts";
import type { SecondRepository } from "./second-repository.ts";
import { backUpVolume } from "./volume-backup.ts";
import { checkVolumes } from "./volume-check.ts";
import type { VolumeSnapshotterConfig } from "./volume-config.ts";
import { ResticCopier } from "./volume-copier.ts";
import { checkCopies } from "./volume-copy-check.ts";
import { listVeleroSnapshots, restoreVeleroSnapshot } from "./volume-files.ts";
import { parentOf, VolumeFolder } from "./volume-folder.ts";
import { folderOf, withFolder } from "./volume-persistent-volume.ts";
import { relativeFolder } from "./volume-relative-folder.ts";
import { restoreVolume } from "./volume-restore.ts";
import { deleteVolumeSnapshot, findVolumeSnapshot, newSnapshotId } from "./volume-snapshots.ts";

/** Opens a VolumeSnapshotLocation. The repository is asked for nothing yet. */
export async function openVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  context: OpenContext,
): Promise<OpenedVolumeSnapshotter> {
  const isVeleros = config.writtenBy === "velero";
  if (config.volumeRoot === undefined && !isVeleros)
    throw new PluginError(
      "invalid configuration: volumeRoot is missing (absolute path): the folder of the server's pod below which the volumes are mounted",
      { kind: "invalid-config" },
    );
  const access = {
    ...config,
    ...(isVeleros ? { defaultPassword: veleroDefaultPassword } : {}),
  };
  const repository = await Repository.open(access, context);
  const second = await openSecondRepository(config, repository, context).catch(async (error: unknown) => {
    await repository.close();
    throw error;
  });
  const opened = new ResticVolumeSnapshotter({ ...config, repository, second, clock: systemClock });
  return withSnapshotCopies(opened, new ResticCopier({ own: repository, second, volumeRoot: config.volumeRoot }), {
    isWaiting: config.wait === "completed",
    waitTimeoutMs: config.waitTimeout,
    // restic waits for its turn and for locks, and ends by itself where a repository is out of reach.
    lookTimeoutMs: config.waitTimeout,
    copiesUnfinished: false,
    clock: systemClock,
    random: Math.random,
  });
}

/** What a snapshotter works with. */
interface ResticVolumeSnapshotterOptions extends Pick<
  VolumeSnapshotterConfig,
  "volumeRoot" | "volumePaths" | "restoreFolder" | "exclude" | "writtenBy" | "wait"
> {
  readonly repository: Repository;
  readonly second: SecondRepository | undefined;
  readonly clock: Clock;
}

/** Everything is a folder: there are no other types, and nothing has IOPS. */
const volumeType = "folder";

/**
 * Snapshots of folders that the server can see. A volume's id is the path of its folder in the server's pod, so that it
 * says where to look and belongs to one root only.
 */
class ResticVolumeSnapshotter implements OpenedVolumeSnapshotter {
  readonly #options: ResticVolumeSnapshotterOptions;

  constructor(options: ResticVolumeSnapshotterOptions) {
    this.#options = options;
  }

  affinity(id: string): number {
    return id.startsWith(`${this.#options.volumeRoot}/`) ? 1 : 0;
  }

  async getVolumeInfo({ volumeId }: VolumeRef): Promise<VolumeInfo> {
    await using _ = await VolumeFolder.open(this.#placeOf(volumeId));
    return { volumeType, iops: undefined };
  }

  async createSnapshot({ volumeId, tags }: SnapshotRequest, call: Call): Promise<string> {
    const { repository, exclude, clock } = this.#options;
    this.#requireOwn();
    const place = this.#placeOf(volumeId);
    await using volume = await VolumeFolder.open(place);
    const snapshotId = newSnapshotId(new Date());
    const backup = { snapshotId, folder: place.folder, tags, exclude, clock };
    const { files, bytes, addedBytes } = await backUpVolume(repository, volume, backup, call);
    call.log.info("snapshotted a volume", { volumeId, snapshotId, files, bytes, addedBytes });
    return snapshotId;
  }

  async createVolumeFromSnapshot({ snapshotId }: VolumeFromSnapshot, call: Call): Promise<string> {
    const { repository, restoreFolder, clock } = this.#options;
    this.#requireOwn();
    const root = this.#root();
    const snapshot = await findVolumeSnapshot(repository, snapshotId, call);
    if (restoreFolder === undefined && snapshot.isMountPoint)
      throw new PluginError(
        `restore the snapshot ${snapshotId}: its volume was the whole file system at ${join(root, snapshot.folder)}, and a folder beside that would be elsewhere; set restoreFolder to a folder of the file system that shall hold it`,
        { kind: "invalid-config" },
      );
    const parent = restoreFolder ?? parentOf(snapshot.folder);
    const folder = await restoreVolume(repository, snapshot, { root, parent, clock }, call);
    const volumeId = join(root, folder);
    call.log.info("restored a volume", { snapshotId, volumeId, bytes: snapshot.bytes });
    return volumeId;
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    this.#requireOwn();
    await deleteVolumeSnapshot(this.#options.repository, snapshotId, call);
  }

  async getVolumeId(volume: PersistentVolume, call: Call): Promise<string> {
    const folder = folderOf(volume, this.#options.volumePaths);
    if (folder !== undefined) return await Promise.resolve(join(this.#root(), folder));
    call.log.debug("no rule of volumePaths speaks of the PersistentVolume");
    return "";
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string): Promise<PersistentVolume> {
    const { folder } = this.#placeOf(volumeId);
    return await Promise.resolve(withFolder(volume, folder, this.#options.volumePaths));
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription> {
    const snapshot = await findVolumeSnapshot(this.#options.repository, snapshotId, call);
    return {
      snapshotId,
      volumeId: join(this.#options.volumeRoot ?? "/", snapshot.folder),
      state: "completed",
      progressPercent: 100,
      volumeSizeBytes: snapshot.bytes,
      encrypted: true,
      startedAt: snapshot.takenAt,
      tags: snapshot.tags,
    };
  }

  async *listFileSnapshots(
    selection: FileSnapshotSelection,
    call: Call,
  ): AsyncGenerator<FileSnapshot, void, undefined> {
    yield* listVeleroSnapshots(this.#options.repository, selection, call);
  }

  async *restoreFiles(
    request: { readonly snapshotId: string; readonly folder: string },
    call: Call,
  ): AsyncGenerator<RestoreFilesProgress, void, undefined> {
    const { repository, clock } = this.#options;
    yield* restoreVeleroSnapshot(repository, { ...request, clock }, call);
  }

  async *check(call: Call): AsyncGenerator<Finding, void, undefined> {
    yield* checkVolumes(this.#options, call);
    yield* checkCopies(this.#options, call);
  }

  async *checkData(subset: string, call: Call): AsyncGenerator<Finding, void, undefined> {
    const { repository, second } = this.#options;
    yield* checkRepositoryData(repository, subset, call);
    if (second !== undefined) yield* checkRepositoryData(second.repository, subset, call);
  }

  async close(): Promise<void> {
    await this.#options.repository.close();
    await this.#options.second?.repository.close();
  }

  /** An id of another root is another location's; one of a wrong form is nobody's. */
  #placeOf(volumeId: string): { readonly root: string; readonly folder: string } {
    const root = this.#root();
    if (!volumeId.startsWith(`${root}/`))
      throw new PluginError(`volume ${volumeId} below volumeRoot ${root}: not found; an id is a path below it`, {
        kind: "not-found",
      });
    try {
      return { root, folder: relativeFolder(volumeId.slice(root.length)) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new PluginError(`volume ${volumeId}: the id is refused, for ${reason}`, {
        kind: "invalid-argument",
        cause: error,
      });
    }
  }

  #root(): string {
    const { volumeRoot } = this.#options;
    if (volumeRoot !== undefined) return volumeRoot;
    throw new PluginError("find a volume: the location names no volumeRoot; set it to where volumes are mounted", {
      kind: "invalid-config",
    });
  }

  #requireOwn(): void {
    if (this.#options.writtenBy !== "velero") return;
    throw new PluginError(
      "this location's repository was written by Velero itself (writtenBy: velero) and is only read, by flotilla volume restore --to",
      { kind: "unsupported" },
    );
  }
}
