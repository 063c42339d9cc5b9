import type {
  CopyingSnapshotter,
  DataCheck,
  FileRestorer,
  FileSnapshot,
  FileSnapshotSelection,
  Finding,
  PersistentVolume,
  RestoreFilesProgress,
  SelfCheck,
  SnapshotDescription,
  SnapshotInspector,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
  VolumeSnapshotter,
} from "@flotilla/sdk/plugin";
import { isJsonObject, parseJson, PluginError, printJson } from "@flotilla/sdk/plugin";
import { velero } from "@flotilla/sdk/wire";

import { listFileSnapshots, restoreFiles } from "./files-client.ts";
import { checkData, checkLocation, describeSnapshot } from "./inspection-client.ts";
import { LocationClient } from "./location-client.ts";
import type { RestartablePlugin } from "./restartable-plugin.ts";
import { SnapshotCopiesClient } from "./snapshot-copies-client.ts";
import { unary } from "./wire-call.ts";
import type { ClientCall } from "./wire-call.ts";

const methods = velero.VolumeSnapshotter.method;

/** A volume snapshotter behind the wire, called as the server calls it; also answers flotilla.v1 where the plugin does. */
export class VolumeSnapshotterClient
  implements VolumeSnapshotter, SnapshotInspector, FileRestorer, SelfCheck, DataCheck, CopyingSnapshotter
{
  readonly copies: SnapshotCopiesClient;
  readonly #location: LocationClient;

  constructor(name: string, plugin: RestartablePlugin) {
    this.#location = new LocationClient(name, plugin);
    this.copies = new SnapshotCopiesClient(this.#location);
  }

  /** The full implementation name. */
  get name(): string {
    return this.#location.name;
  }

  /** The executable behind it. */
  get command(): string {
    return this.#location.command;
  }

  /** Opens the location: `spec.config` and `credentialsFile`. */
  async init(config: Readonly<Record<string, string>>): Promise<void> {
    await this.#location.open(config, (client) => unary(client, methods.init, { plugin: this.name, config }));
  }

  async createVolumeFromSnapshot(volume: VolumeFromSnapshot, call?: ClientCall): Promise<string> {
    const request = {
      plugin: this.name,
      snapshotID: volume.snapshotId,
      volumeType: volume.volumeType,
      volumeAZ: volume.volumeAz,
      iops: volume.iops ?? 0n,
    };
    return (await this.#location.call((client) => unary(client, methods.createVolumeFromSnapshot, request, call)))
      .volumeID;
  }

  async getVolumeInfo(volume: VolumeRef, call?: ClientCall): Promise<VolumeInfo> {
    const request = { plugin: this.name, volumeID: volume.volumeId, volumeAZ: volume.volumeAz };
    const info = await this.#location.call((client) => unary(client, methods.getVolumeInfo, request, call));
    return { volumeType: info.volumeType, iops: info.iops === 0n ? undefined : info.iops };
  }

  async createSnapshot(snapshot: SnapshotRequest, call?: ClientCall): Promise<string> {
    const { volumeId, volumeAz, tags } = snapshot;
    const request = { plugin: this.name, volumeID: volumeId, volumeAZ: volumeAz, tags };
    return (await this.#location.call((client) => unary(client, methods.createSnapshot, request, call))).snapshotID;
  }

  async deleteSnapshot(snapshotId: string, call?: ClientCall): Promise<void> {
    const request = { plugin: this.name, snapshotID: snapshotId };
    await this.#location.call((client) => unary(client, methods.deleteSnapshot, request, call));
  }

  async getVolumeId(volume: PersistentVolume, call?: ClientCall): Promise<string> {
    const request = { plugin: this.name, persistentVolume: Buffer.from(printJson(volume)) };
    return (await this.#location.call((client) => unary(client, methods.getVolumeID, request, call))).volumeID;
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string, call?: ClientCall): Promise<PersistentVolume> {
    const request = { plugin: this.name, persistentVolume: Buffer.from(printJson(volume)), volumeID: volumeId };
    const answer = await this.#location.call((client) => unary(client, methods.setVolumeID, request, call));
    return readPersistentVolume(answer.persistentVolume, this.name);
  }

  async describeSnapshot(snapshotId: string, call?: ClientCall): Promise<SnapshotDescription> {
    return await this.#location.call((client) => describeSnapshot(client, { plugin: this.name, snapshotId }, call));
  }

  async *listFileSnapshots(
    selection: FileSnapshotSelection,
    call?: ClientCall,
  ): AsyncGenerator<FileSnapshot, void, undefined> {
    const request = { plugin: this.name, selection };
    yield* this.#location.stream((client) => listFileSnapshots(client, request, call));
  }

  async *restoreFiles(
    { snapshotId, folder }: { readonly snapshotId: string; readonly folder: string },
    call?: ClientCall,
  ): AsyncGenerator<RestoreFilesProgress, void, undefined> {
    const request = { plugin: this.name, snapshotId, folder };
    yield* this.#location.stream((client) => restoreFiles(client, request, call));
  }

  async *check(call?: ClientCall): AsyncGenerator<Finding, void, undefined> {
    void this.#location.config;
    const request = { plugin: this.name, kind: "VolumeSnapshotter" };
    yield* this.#location.stream((client) => checkLocation(client, request, call));
  }

  async *checkData(readDataSubset: string, call?: ClientCall): AsyncGenerator<Finding, void, undefined> {
    const request = { plugin: this.name, kind: "VolumeSnapshotter", readDataSubset };
    yield* this.#location.stream((client) => checkData(client, request, call));
  }
}

/** The server refuses an answer without apiVersion and kind, so this does too. */
function readPersistentVolume(bytes: Uint8Array, plugin: string): PersistentVolume {
  try {
    const volume = parseJson(Buffer.from(bytes).toString("utf8"));
    if (isJsonObject(volume) && typeof volume["kind"] === "string" && typeof volume["apiVersion"] === "string") {
      return volume;
    }
  } catch (error) {
    throw new PluginError(`plugin ${plugin} answered a PersistentVolume that is not JSON`, {
      kind: "internal",
      cause: error,
    });
  }
  throw new PluginError(`plugin ${plugin} answered a PersistentVolume without kind or apiVersion`, {
    kind: "internal",
  });
}
