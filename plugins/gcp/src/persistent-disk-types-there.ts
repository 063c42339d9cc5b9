import { isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";
import type { DiskLocation } from "./persistent-disk-ids.ts";
import { diskTypeName } from "./persistent-disk-type.ts";

// What comes nearest, in this order; the last one is in every zone. Of disks in two zones, other types than of those in one.
const nearest: Readonly<Record<DiskLocation["scope"], Readonly<Record<string, readonly string[]>>>> = {
  zones: {
    "hyperdisk-extreme": ["hyperdisk-balanced", "pd-ssd"],
    "hyperdisk-balanced": ["pd-ssd"],
    "hyperdisk-balanced-high-availability": ["hyperdisk-balanced", "pd-ssd"],
    "hyperdisk-throughput": ["hyperdisk-balanced", "pd-balanced"],
    "hyperdisk-ml": ["hyperdisk-balanced", "pd-ssd"],
    "pd-extreme": ["pd-ssd"],
  },
  regions: { "hyperdisk-balanced-high-availability": ["pd-ssd"] },
};

/** The types of disks that there are in the places of a project. */
export class DiskTypesThere {
  readonly #api: PersistentDiskApi;
  readonly #project: string;

  constructor(api: PersistentDiskApi, project: string) {
    this.#api = api;
    this.#project = project;
  }

  /**
   * The recorded type, or the nearest that there is where the disk is restored, with a line in the log. Where nobody may
   * look, the recorded one: Compute Engine says itself what it has not.
   */
  async choose(snapshotId: string, volumeType: string, location: DiskLocation, call: Call): Promise<string> {
    const recorded = diskTypeName(volumeType);
    const candidates = nearest[location.scope][recorded] ?? [];
    if (candidates.length === 0) return volumeType;
    for (const [index, type] of [recorded, ...candidates].entries()) {
      const isLast = index === candidates.length;
      if (!isLast && !(await this.#isThere(type, location, call))) continue;
      if (type === recorded) return volumeType;
      call.log.info("the disk's type does not exist where it is restored: the nearest one takes its place", {
        snapshotId,
        recordedType: recorded,
        type,
        place: location.name,
      });
      return type;
    }
    return volumeType;
  }

  async #isThere(type: string, location: DiskLocation, call: Call): Promise<boolean> {
    try {
      return await this.#api.hasDiskType(this.#project, location, type, call);
    } catch (error) {
      if (!isKind(error, "denied")) throw error;
      call.log.debug("the types of disks cannot be looked up", { place: location.name, reason: error.message });
      return true;
    }
  }
}
