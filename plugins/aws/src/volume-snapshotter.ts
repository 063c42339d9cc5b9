import { randomUUID } from "node:crypto";
import type { CreateVolumeCommandInput, Snapshot, VolumeType } from "@aws-sdk/client-ec2";
import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type {
  Call,
  Clock,
  OpenContext,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  SnapshotDescription,
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
} from "@flotilla/sdk/plugin";
import { copyOfTag, withSnapshotCopies } from "@flotilla/sdk/volumes";
import { openConnection } from "./client.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { Ec2EbsApi } from "./ebs-api.ts";
import type { EbsApi } from "./ebs-api.ts";
import { checkVolumeSnapshotter } from "./ebs-check.ts";
import { EbsCopier } from "./ebs-copies.ts";
import type { EbsCopyTarget } from "./ebs-copies.ts";
import { readVolumeId, writeVolumeId } from "./ebs-persistent-volume.ts";
import { EbsPlaces } from "./ebs-place.ts";
import { requestSnapshot } from "./ebs-request.ts";
import { readTags, requestMark, snapshotTags, tagSpecifications, throughputMark, volumeTags } from "./ebs-tags.ts";
import { isUnknownType, nearestType } from "./ebs-volume-type.ts";
import { awaitSnapshot, awaitVolume } from "./ebs-wait.ts";
import type { WaitOptions } from "./ebs-wait.ts";
import { Ec2Session } from "./ec2-session.ts";

/** Opens a VolumeSnapshotLocation. */
export async function openVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  context: OpenContext,
): Promise<OpenedVolumeSnapshotter> {
  const connection = { ...config, insecureSkipVerify: false };
  const { settings } = await openConnection("ec2", connection, context);
  const session = new Ec2Session(settings);
  const api = new Ec2EbsApi(session);
  const targets = copyTargets(config, session);
  const time = { clock: systemClock, random: Math.random };
  const waiting = { isWaiting: config.wait === "completed", waitTimeoutMs: config.waitTimeout, ...time };
  const snapshotter = new EbsVolumeSnapshotter({
    api,
    kmsKeyId: config.ebsKmsKeyId,
    clusterName: context.env["AWS_CLUSTER_NAME"],
    places: new EbsPlaces({ ...config, api }),
    ...waiting,
  });
  const opened = Object.assign(snapshotter, {
    check: (call: Call) => checkVolumeSnapshotter(config, session, call),
    close: async () => settings.requestHandler.destroy?.(),
  });
  const { copyCompletionMinutes: completionMinutes } = config;
  const copier = new EbsCopier({ home: api, targets, completionMinutes, ...time });
  // EC2 copies completed snapshots only.
  return withSnapshotCopies(opened, copier, { ...waiting, copiesUnfinished: false });
}

function copyTargets({ region, copyToRegions }: VolumeSnapshotterConfig, session: Ec2Session): EbsCopyTarget[] {
  return copyToRegions.map((target) => {
    if (target.region === region)
      throw new PluginError(
        `invalid configuration: copyToRegions holds ${region}, which is the location's own region; remove it there`,
        { kind: "invalid-config" },
      );
    return { ...target, api: new Ec2EbsApi(session.inRegion(target.region, target.options.endpoint)) };
  });
}

/** What a snapshotter works with. */
export interface EbsVolumeSnapshotterOptions {
  readonly api: EbsApi;
  /** Of volumes made from snapshots. */
  readonly kmsKeyId: string | undefined;
  /** Whose ownership tags restored volumes get; undefined leaves the tags as they are. */
  readonly clusterName: string | undefined;
  /** Where volumes are restored. */
  readonly places: EbsPlaces;
  /** Whether a snapshot or volume is waited for until it can be used. */
  readonly isWaiting: boolean;
  readonly waitTimeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const typesWithIops = new Set(["io1", "io2", "gp3"]);
const cleanupTimeoutMs = 30_000;

/** Snapshots of EBS volumes in one region. */
export class EbsVolumeSnapshotter implements OpenedVolumeSnapshotter {
  readonly #options: EbsVolumeSnapshotterOptions;
  readonly #api: EbsApi;

  constructor(options: EbsVolumeSnapshotterOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  affinity(id: string): number {
    return this.#options.places.has(id) ? 1 : 0;
  }

  async getVolumeInfo({ volumeId }: VolumeRef, call: Call): Promise<VolumeInfo> {
    const { VolumeType: type, Iops } = await this.#api.describeVolume(volumeId, call);
    const hasIops = typesWithIops.has(type ?? "") && Iops !== undefined && Iops > 0;
    return { volumeType: type ?? "", iops: hasIops ? BigInt(Iops) : undefined };
  }

  async createSnapshot({ volumeId, tags: serverTags }: SnapshotRequest, call: Call): Promise<string> {
    const volume = await this.#api.describeVolume(volumeId, call);
    const requestId = randomUUID();
    const marks = {
      [requestMark]: requestId,
      ...(volume.Throughput === undefined ? {} : { [throughputMark]: String(volume.Throughput) }),
    };
    const { tags, dropped } = snapshotTags(serverTags, marks, readTags(volume.Tags));
    if (dropped.length > 0)
      call.log.info("some tags of the volume found no room on its snapshot", { volumeId, tags: dropped.join(", ") });
    const snapshotId = await this.#requestSnapshot(volumeId, requestId, tags, call);
    if (!this.#options.isWaiting) return snapshotId;
    return await this.#finished(snapshotId, call, awaitSnapshot, async (call) => {
      await this.#api.deleteSnapshot(snapshotId, call);
    });
  }

  async createVolumeFromSnapshot(request: VolumeFromSnapshot, call: Call): Promise<string> {
    const { snapshotId, volumeAz, volumeType, iops } = request;
    const { places, clusterName } = this.#options;
    const snapshot = await this.#api.describeSnapshot(snapshotId, call);
    const zone = places.choose(snapshotId, volumeAz, call);
    const input = {
      SnapshotId: snapshotId,
      AvailabilityZone: zone,
      ClientToken: randomUUID(),
      // The server hands back the word that EC2 itself once answered.
      ...(volumeType === "" ? {} : { VolumeType: volumeType as VolumeType }),
      ...(iops !== undefined && iops > 0n && typesWithIops.has(volumeType) ? { Iops: Number(iops) } : {}),
      ...throughputOf(snapshot, request),
      ...this.#encryptionOf(snapshot),
      ...tagSpecifications("volume", volumeTags(readTags(snapshot.Tags), clusterName)),
    };
    const isElsewhere = zone !== volumeAz || readTags(snapshot.Tags)[copyOfTag] !== undefined;
    const volumeId = await this.#createVolume(input, isElsewhere, call);
    places.learn(volumeId, zone);
    if (!this.#options.isWaiting) return volumeId;
    return await this.#finished(volumeId, call, awaitVolume, async (call) => {
      await this.#api.deleteVolume(volumeId, call);
    });
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    await this.#api.deleteSnapshot(snapshotId, call);
  }

  async getVolumeId(volume: PersistentVolume, call: Call): Promise<string> {
    const volumeId = readVolumeId(volume);
    if (volumeId === "") call.log.debug("the PersistentVolume is not an EBS volume");
    return volumeId;
  }

  async setVolumeId(volume: PersistentVolume, volumeId: string, call: Call): Promise<PersistentVolume> {
    return writeVolumeId(await this.#options.places.written(volume, volumeId, call), volumeId);
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription> {
    const snapshot = await this.#api.describeSnapshot(snapshotId, call);
    return {
      snapshotId,
      volumeId: snapshot.VolumeId ?? "",
      state: snapshot.State ?? "",
      progressPercent: Number.parseInt(snapshot.Progress ?? "0", 10) || 0,
      volumeSizeBytes: BigInt(snapshot.VolumeSize ?? 0) * 1024n ** 3n,
      encrypted: snapshot.Encrypted ?? false,
      startedAt: snapshot.StartTime,
      tags: readTags(snapshot.Tags),
    };
  }

  async #requestSnapshot(
    volumeId: string,
    requestId: string,
    tags: Readonly<Record<string, string>>,
    call: Call,
  ): Promise<string> {
    const { clock, random } = this.#options;
    const input = { VolumeId: volumeId, ...tagSpecifications("snapshot", tags) };
    return await requestSnapshot(
      {
        what: `the snapshot of volume ${volumeId}`,
        request: async () => await this.#api.createSnapshot(input, call),
        find: async () => await this.#api.findSnapshot(requestId, call),
        clock,
        random,
      },
      call,
    );
  }

  /** Elsewhere, a type that does not exist there gives way to the nearest one: a restore counts for more than its type. */
  async #createVolume(input: CreateVolumeCommandInput, isElsewhere: boolean, call: Call): Promise<string> {
    try {
      return await this.#api.createVolume(input, call);
    } catch (error) {
      const nearest = isElsewhere && isUnknownType(error) ? nearestType(input) : undefined;
      if (nearest === undefined) throw error;
      call.log.info("the volume's type does not exist in its new zone: the nearest one is taken", {
        snapshotId: input.SnapshotId ?? "",
        zone: input.AvailabilityZone ?? "",
        type: input.VolumeType ?? "",
        nearest: nearest.VolumeType ?? "",
      });
      return await this.#createVolume({ ...nearest, ClientToken: randomUUID() }, isElsewhere, call);
    }
  }

  async #finished(
    id: string,
    call: Call,
    wait: (api: EbsApi, id: string, options: WaitOptions, call: Call) => Promise<void>,
    remove: (call: Call) => Promise<void>,
  ): Promise<string> {
    const { clock, random, waitTimeoutMs } = this.#options;
    try {
      await wait(this.#api, id, { timeoutMs: waitTimeoutMs, clock, random }, call);
      return id;
    } catch (error) {
      await removeFailed(id, remove, call);
      throw error;
    }
  }

  #encryptionOf(snapshot: Snapshot): { readonly Encrypted?: boolean; readonly KmsKeyId?: string } {
    const { kmsKeyId } = this.#options;
    if (kmsKeyId !== undefined) return { Encrypted: true, KmsKeyId: kmsKeyId };
    return snapshot.Encrypted === undefined ? {} : { Encrypted: snapshot.Encrypted };
  }
}

/**
 * What was recorded together with the IOPS. The official plugin records none and copies tags on: its snapshot may bear the
 * mark of an older volume, whose throughput EC2 refuses with the usual IOPS.
 */
function throughputOf(snapshot: Snapshot, { volumeType, iops }: VolumeFromSnapshot): { readonly Throughput?: number } {
  const throughput = Number(readTags(snapshot.Tags)[throughputMark]);
  const isRecorded = volumeType === "gp3" && iops !== undefined && iops > 0n;
  return isRecorded && Number.isInteger(throughput) && throughput > 0 ? { Throughput: throughput } : {};
}

async function removeFailed(id: string, remove: (call: Call) => Promise<void>, call: Call): Promise<void> {
  try {
    // The call itself may have been aborted or have run out of time.
    await remove({ log: call.log, signal: AbortSignal.timeout(cleanupTimeoutMs) });
  } catch (error) {
    call.log.info("what failed could not be removed", { id, reason: PluginError.from(error).message });
  }
}
