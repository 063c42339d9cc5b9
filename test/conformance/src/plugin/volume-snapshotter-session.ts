import { velero } from "@flotilla/sdk/wire";

import { callUnary } from "./call-unary.ts";
import type { PluginSession } from "./plugin-session.ts";
import type { LocationConfig } from "../target/target.ts";

const methods = velero.VolumeSnapshotter.method;

/** What a restore asks for. */
export interface RestoreRequest {
  readonly snapshotId: string;
  readonly volumeType: string;
  readonly volumeAz: string;
  /** 0 where none was recorded. */
  readonly iops: bigint;
}

/** One location of a volume snapshotter, called as the server calls it. */
export class VolumeSnapshotterSession {
  readonly session: PluginSession;
  readonly plugin: string;
  readonly config: LocationConfig;

  private constructor(session: PluginSession, plugin: string, config: LocationConfig) {
    this.session = session;
    this.plugin = plugin;
    this.config = config;
  }

  /** Opens a location in a process: Init with the config as the server would merge it. */
  static async open(session: PluginSession, plugin: string, config: LocationConfig): Promise<VolumeSnapshotterSession> {
    await callUnary(session, methods.init, { plugin, config });
    return new VolumeSnapshotterSession(session, plugin, config);
  }

  /** The id of the volume behind a PersistentVolume in JSON; "" when it is not this plugin's. */
  async getVolumeId(persistentVolume: string): Promise<string> {
    const request = { plugin: this.plugin, persistentVolume: Buffer.from(persistentVolume) };
    return (await callUnary(this.session, methods.getVolumeID, request)).volumeID;
  }

  /** The PersistentVolume in JSON, as the plugin rewrote it. */
  async setVolumeId(persistentVolume: string, volumeId: string): Promise<string> {
    const request = { plugin: this.plugin, persistentVolume: Buffer.from(persistentVolume), volumeID: volumeId };
    const answer = await callUnary(this.session, methods.setVolumeID, request);
    return Buffer.from(answer.persistentVolume).toString("utf8");
  }

  async getVolumeInfo(
    volumeId: string,
    volumeAz: string,
  ): Promise<{ readonly volumeType: string; readonly iops: bigint }> {
    return await callUnary(this.session, methods.getVolumeInfo, {
      plugin: this.plugin,
      volumeID: volumeId,
      volumeAZ: volumeAz,
    });
  }

  async createSnapshot(volumeId: string, volumeAz: string, tags: Readonly<Record<string, string>>): Promise<string> {
    const request = { plugin: this.plugin, volumeID: volumeId, volumeAZ: volumeAz, tags };
    return (await callUnary(this.session, methods.createSnapshot, request)).snapshotID;
  }

  async createVolumeFromSnapshot({ snapshotId, volumeType, volumeAz, iops }: RestoreRequest): Promise<string> {
    const request = { plugin: this.plugin, snapshotID: snapshotId, volumeType, volumeAZ: volumeAz, iops };
    return (await callUnary(this.session, methods.createVolumeFromSnapshot, request)).volumeID;
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await callUnary(this.session, methods.deleteSnapshot, { plugin: this.plugin, snapshotID: snapshotId });
  }
}
