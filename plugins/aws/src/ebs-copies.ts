import { randomUUID } from "node:crypto";
import type { Filter, Snapshot } from "@aws-sdk/client-ec2";
import { PluginError } from "@flotilla/sdk/plugin";
import type {
  Call,
  Clock,
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  RegionTarget,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "@flotilla/sdk/plugin";
import { backupTag, copyFromTag, copyOfTag } from "@flotilla/sdk/volumes";
import type { EbsCopyApi } from "./ebs-api.ts";
import { requestSnapshot } from "./ebs-request.ts";
import { copyTags, readTags, requestMark, tagSpecifications } from "./ebs-tags.ts";

/** One region that snapshots are copied to. */
export interface EbsCopyTarget extends RegionTarget<"kmsKeyId" | "endpoint"> {
  readonly api: EbsCopyApi;
}

/** What copies are made with. */
export interface EbsCopierOptions {
  /** The location's own region. */
  readonly home: EbsCopyApi;
  readonly targets: readonly EbsCopyTarget[];
  /** Of time-based copies; undefined for those of no promised time. */
  readonly completionMinutes: number | undefined;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

// "Concurrent snapshot copies per destination Region", not adjustable.
// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
const maxConcurrentCopies = 20;
const fullCode = "ResourceLimitExceeded";
const maxFilterValues = 200;

/** Copies of EBS snapshots in other regions of the same account. */
export class EbsCopier implements SnapshotCopier {
  readonly #options: EbsCopierOptions;

  constructor(options: EbsCopierOptions) {
    this.#options = options;
  }

  async targets(): Promise<readonly CopyRegion[]> {
    return await Promise.resolve(
      this.#options.targets.map(({ region }) => ({
        region,
        maxConcurrent: maxConcurrentCopies,
        isSerialPerVolume: false,
      })),
    );
  }

  async *listOrigins({ backup, snapshotIds }: OriginQuery, call: Call): AsyncIterable<SnapshotOrigin> {
    const { home } = this.#options;
    for (const filters of originFilters(backup, snapshotIds))
      for await (const snapshot of home.listSnapshots(filters, call)) {
        const isNamed = snapshotIds !== undefined;
        if (isNamed || readTags(snapshot.Tags)[copyOfTag] === undefined) yield originOf(snapshot);
      }
  }

  async *listCopies({ region, originId }: CopyQuery, call: Call): AsyncIterable<SnapshotCopy> {
    const { api } = this.#target(region);
    const filters = [{ Name: `tag:${copyFromTag}`, Values: [this.#options.home.region] }];
    if (originId !== undefined) filters.push({ Name: `tag:${copyOfTag}`, Values: [originId] });
    for await (const snapshot of api.listSnapshots(filters, call)) yield copyOf(snapshot, region);
  }

  async startCopy(
    { originId, region }: { readonly originId: string; readonly region: string },
    call: Call,
  ): Promise<string> {
    const { home, completionMinutes, clock, random } = this.#options;
    const { api, options } = this.#target(region);
    const origin = await home.describeSnapshot(originId, call);
    const requestId = randomUUID();
    const marked = { snapshotId: originId, region: home.region, tags: withoutRequestMark(origin) };
    const { tags, dropped } = copyTags(marked, requestId);
    if (dropped.length > 0)
      call.log.info("some tags of a snapshot found no room on its copy", {
        snapshotId: originId,
        region,
        tags: dropped.join(", "),
      });
    const input = {
      SourceRegion: home.region,
      SourceSnapshotId: originId,
      Description: `[Copied ${originId} from ${home.region}] ${origin.Description ?? ""}`.trim().slice(0, 255),
      // A key encrypts also what was in the clear; without one, a copy is encrypted as its origin is.
      ...(options.kmsKeyId === undefined ? {} : { Encrypted: true, KmsKeyId: options.kmsKeyId }),
      ...(completionMinutes === undefined ? {} : { CompletionDurationMinutes: completionMinutes }),
      ...tagSpecifications("snapshot", tags),
    };
    return await requestSnapshot(
      {
        what: `the copy of snapshot ${originId} to region ${region}`,
        request: async () => await api.copySnapshot(input, call),
        find: async () => await api.findSnapshot(requestId, call),
        isRefusal: ({ code }) => code === fullCode,
        clock,
        random,
      },
      call,
    );
  }

  /** EBS makes a copy in one step. */
  async tendCopy(): Promise<void> {
    await Promise.resolve();
  }

  async deleteCopy({ region, copyId }: CopyRef, call: Call): Promise<void> {
    const { home } = this.#options;
    await (region === home.region ? home : this.#target(region).api).deleteSnapshot(copyId, call);
  }

  async localCopies(originId: string, call: Call): Promise<readonly SnapshotCopy[]> {
    const { home } = this.#options;
    const filters = [{ Name: `tag:${copyOfTag}`, Values: [originId] }];
    const copies: SnapshotCopy[] = [];
    for await (const snapshot of home.listSnapshots(filters, call)) copies.push(copyOf(snapshot, home.region));
    return copies;
  }

  #target(region: string): EbsCopyTarget {
    const target = this.#options.targets.find((target) => target.region === region);
    if (target !== undefined) return target;
    throw new PluginError(`the region ${region} is not in the location's key copyToRegions; add it there`, {
      kind: "invalid-argument",
    });
  }
}

function originFilters(
  backup: string | undefined,
  snapshotIds: readonly string[] | undefined,
): readonly (readonly Filter[])[] {
  const ofBackup = backup === undefined ? [] : [{ Name: `tag:${backupTag}`, Values: [backup] }];
  if (snapshotIds === undefined) return [backup === undefined ? [{ Name: "tag-key", Values: [backupTag] }] : ofBackup];
  const chunks = Math.ceil(snapshotIds.length / maxFilterValues);
  return Array.from({ length: chunks }, (_, index) => [
    ...ofBackup,
    // A filter leaves out what does not exist, where a list of ids would be refused as a whole.
    { Name: "snapshot-id", Values: snapshotIds.slice(index * maxFilterValues, (index + 1) * maxFilterValues) },
  ]);
}

function withoutRequestMark({ Tags }: Snapshot): ReturnType<typeof readTags> {
  return Object.fromEntries(Object.entries(readTags(Tags)).filter(([name]) => name !== requestMark));
}

function originOf(snapshot: Snapshot): SnapshotOrigin {
  const isArchived = snapshot.StorageTier === "archive";
  return {
    snapshotId: snapshot.SnapshotId ?? "",
    volumeId: snapshot.VolumeId ?? "",
    backup: readTags(snapshot.Tags)[backupTag] ?? "",
    readiness: isArchived ? "failed" : readinessOf(snapshot.State),
    state: isArchived ? "archived" : (snapshot.State ?? ""),
    progressPercent: percentOf(snapshot),
    sizeBytes: BigInt(snapshot.VolumeSize ?? 0) * 1024n ** 3n,
    startedAt: snapshot.StartTime,
  };
}

function readinessOf(state: string | undefined): SnapshotOrigin["readiness"] {
  if (state === "completed") return "ready";
  return state === "error" ? "failed" : "unfinished";
}

function copyOf(snapshot: Snapshot, region: string): SnapshotCopy {
  const tags = readTags(snapshot.Tags);
  return {
    copyId: snapshot.SnapshotId ?? "",
    region,
    originId: tags[copyOfTag] ?? "",
    originRegion: tags[copyFromTag] ?? "",
    state: stateOf(snapshot.State),
    detail: snapshot.State === "error" ? (snapshot.StateMessage ?? "") : "",
    progressPercent: percentOf(snapshot),
    startedAt: snapshot.StartTime,
    needsTending: false,
  };
}

function stateOf(state: string | undefined): SnapshotCopy["state"] {
  if (state === "completed") return "completed";
  return state === "error" ? "failed" : "pending";
}

function percentOf({ Progress }: Snapshot): number {
  return Number.parseInt(Progress ?? "0", 10) || 0;
}
