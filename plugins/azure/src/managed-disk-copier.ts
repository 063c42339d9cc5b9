import type { Snapshot } from "@azure/arm-compute";
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
import type { ManagedDiskApi } from "./managed-disk-api.ts";
import { copyTags, originOf } from "./managed-disk-copy-tags.ts";
import { readCopy, readOrigin } from "./managed-disk-copy-states.ts";
import { copyName, isSameId, isSamePlace, parseComputeId, printComputeId, readSnapshotId } from "./managed-disk-ids.ts";
import type { ComputeId, Place } from "./managed-disk-ids.ts";
import type { ManagedDiskLifecycle } from "./managed-disk-lifecycle.ts";
import { readTags } from "./managed-disk-tags.ts";
import { completeOperation } from "./managed-disk-wait.ts";
import type { WaitOptions } from "./managed-disk-wait.ts";

/** A region that snapshots are copied to. */
export interface CopyDestination {
  readonly region: string;
  readonly place: Place;
  /** The id of the disk encryption set there, for copies and for the disks that are made of them. */
  readonly encryptionSet: string | undefined;
}

/** What copies are made with. */
export interface ManagedDiskCopierOptions {
  readonly api: ManagedDiskApi;
  readonly lifecycle: ManagedDiskLifecycle;
  /** Where snapshots are made, and where the copies of other regions' snapshots are. */
  readonly snapshots: Place;
  /** Where disks are. */
  readonly disks: Place;
  /** The cluster's; undefined where the location does not say. */
  readonly region: string | undefined;
  readonly destinations: readonly CopyDestination[];
  /** For one copy to be begun. */
  readonly wait: WaitOptions;
}

// https://learn.microsoft.com/azure/virtual-machines/disks-copy-incremental-snapshot-across-regions
const rules: Omit<CopyRegion, "region"> = { maxConcurrent: 100, isSerialPerVolume: true };

/** Copies of snapshots in other regions, which Azure makes by itself once it is asked. */
export class ManagedDiskCopier implements SnapshotCopier {
  readonly #options: ManagedDiskCopierOptions;
  readonly #api: ManagedDiskApi;

  constructor(options: ManagedDiskCopierOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  async targets(): Promise<readonly CopyRegion[]> {
    return this.#options.destinations.map(({ region }) => ({ region, ...rules }));
  }

  async *listOrigins({ backup, snapshotIds }: OriginQuery, call: Call): AsyncGenerator<SnapshotOrigin> {
    const { snapshots, disks, region } = this.#options;
    const found = snapshotIds === undefined ? await this.#listed(snapshots, call) : this.#named(snapshotIds, call);
    for await (const { id, snapshot } of found) {
      const origin = readOrigin(id, snapshot, disks);
      // A resource group may hold the snapshots of several regions.
      const isOwn = region === undefined || snapshot.location === region;
      const isWanted = snapshotIds !== undefined || (origin.backup !== "" && isOwn && !isCopy(snapshot));
      if (isWanted && (backup === undefined || origin.backup === backup)) yield origin;
    }
  }

  async *listCopies({ region, originId }: CopyQuery, call: Call): AsyncGenerator<SnapshotCopy> {
    const { place } = this.#destination(region);
    yield* await this.#copiesIn(place, region, originId, call);
  }

  async startCopy(
    { originId, region }: { readonly originId: string; readonly region: string },
    call: Call,
  ): Promise<string> {
    const { place, encryptionSet } = this.#destination(region);
    const origin = readSnapshotId(originId);
    const found = await this.#api.getSnapshot(origin, call);
    requireCopyable(originId, region, found);
    const { tags, dropped } = copyTags({
      origin: this.#canonical(origin),
      originRegion: found.location,
      tags: readTags(found.tags),
      ownEncryptionSet: found.encryption?.diskEncryptionSetId,
      encryptionSet,
    });
    if (dropped.length > 0)
      call.log.info("some tags are not on the copy: Azure has no room for them", {
        snapshotId: originId,
        region,
        tags: dropped.join(", "),
      });
    const copy: ComputeId = { ...place, type: "snapshots", name: copyName(origin, region) };
    const content: Snapshot = {
      location: region,
      tags: { ...tags },
      incremental: true,
      creationData: { createOption: "CopyStart", sourceResourceId: printComputeId(origin) },
      ...(encryptionSet === undefined
        ? {}
        : { encryption: { type: "EncryptionAtRestWithCustomerKey", diskEncryptionSetId: encryptionSet } }),
    };
    // Only begun: that the bytes follow can take hours. A request that Azure took and then gave up would be forgotten.
    await completeOperation(
      `the copy of snapshot "${origin.name}" to ${region} to begin`,
      async (call) => await this.#api.copySnapshot(copy, content, call),
      this.#options.wait,
      call,
    );
    return printComputeId(copy);
  }

  async tendCopy(): Promise<void> {
    // Azure makes a copy in one step.
  }

  async deleteCopy({ copyId }: CopyRef, call: Call): Promise<void> {
    const id = readSnapshotId(copyId);
    // Whoever names an origin here would lose the backup itself.
    if (!isCopy(await this.#api.getSnapshot(id, call)))
      throw new PluginError(`delete the copy ${copyId}: it bears no tag that says what it is a copy of`, {
        kind: "invalid-argument",
      });
    await this.#options.lifecycle.delete(id, call);
  }

  async localCopies(originId: string, call: Call): Promise<readonly SnapshotCopy[]> {
    const { snapshots, region } = this.#options;
    return await this.#copiesIn(snapshots, region, originId, call);
  }

  async #copiesIn(
    place: Place,
    region: string | undefined,
    originId: string | undefined,
    call: Call,
  ): Promise<readonly SnapshotCopy[]> {
    const wanted = originId === undefined ? undefined : parseComputeId(originId);
    return (await this.#listed(place, call)).flatMap(({ id, snapshot }) => {
      const origin = originOf(readTags(snapshot.tags));
      const isElsewhere = region !== undefined && snapshot.location !== region;
      if (origin === undefined || isElsewhere || snapshot.provisioningState === "Deleting") return [];
      if (originId !== undefined && (wanted === undefined || !isSameId(origin, wanted))) return [];
      // In the caller's spelling, by which it compares.
      const named = originId ?? printComputeId(this.#canonical(origin));
      return [readCopy(id, snapshot, named)];
    });
  }

  async #listed(place: Place, call: Call): Promise<readonly NamedSnapshot[]> {
    const all = await this.#api.snapshotsIn(place, call);
    return all.flatMap((snapshot) => {
      const id = parseComputeId(snapshot.id ?? "");
      return id === undefined ? [] : [{ id: { ...id, ...place }, snapshot }];
    });
  }

  async *#named(ids: readonly string[], call: Call): AsyncGenerator<NamedSnapshot> {
    for (const text of ids) {
      const id = readSnapshotId(text);
      try {
        yield { id, snapshot: await this.#api.getSnapshot(id, call) };
      } catch (error) {
        if (!isKind(error, "not-found")) throw error;
        await this.#requireGroup(id, call);
      }
    }
  }

  /** A resource group that was lost as a whole must not look like one whose snapshots were deleted; a list tells. */
  async #requireGroup(id: ComputeId, call: Call): Promise<void> {
    if (!isSamePlace(id, this.#options.snapshots)) await this.#api.snapshotsIn(id, call);
  }

  #destination(region: string): CopyDestination {
    const { destinations } = this.#options;
    const found = destinations.find((one) => one.region === region);
    if (found !== undefined) return found;
    throw new PluginError(`${region} is no region of the location's key copyToRegions`, { kind: "invalid-argument" });
  }

  /** In the spelling of the backups: Azure prints resource groups in any case. */
  #canonical(id: ComputeId): ComputeId {
    const { snapshots } = this.#options;
    return isSamePlace(id, snapshots) ? { ...id, ...snapshots } : id;
  }
}

interface NamedSnapshot {
  readonly id: ComputeId;
  readonly snapshot: Snapshot;
}

function isCopy({ tags }: Snapshot): boolean {
  return originOf(readTags(tags)) !== undefined;
}

function requireCopyable(snapshotId: string, region: string, { incremental, location }: Snapshot): void {
  const fault =
    incremental !== true
      ? 'it is a full snapshot, and Azure copies incremental ones only (key incremental: "true")'
      : location === region
        ? "it is of that region itself"
        : undefined;
  if (fault === undefined) return;
  throw new PluginError(`copy snapshot "${snapshotId}" to ${region}: ${fault}`, { kind: "unsupported" });
}
