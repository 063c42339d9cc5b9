import { PluginError } from "@flotilla/sdk/plugin";
import { readLocation, regionOf } from "./persistent-disk-ids.ts";
import type { DiskHandle, DiskLocation } from "./persistent-disk-ids.ts";

/**
 * Where PersistentVolumes said that their disks are. The server hands a disk over by its bare name only, and with several
 * locations in one process it asks just one of them to read a PersistentVolume.
 */
export class DiskWhereabouts {
  readonly #handles = new Map<string, DiskHandle>();

  learn(handle: DiskHandle): void {
    this.#handles.set(handle.name, handle);
  }

  of(diskName: string): DiskHandle | undefined {
    return this.#handles.get(diskName);
  }
}

/** What a handle says of a disk that was made without its help: the CSI driver finds it by its name. */
const unspecified = "UNSPECIFIED";

/**
 * The project of a disk: its handle's. The location's may have another disk of that name, of which a snapshot would be
 * taken for a backup of this one.
 */
export function projectOfDisk(ofLocation: string, handle: DiskHandle | undefined): string {
  return handle === undefined || handle.project === unspecified ? ofLocation : handle.project;
}

/**
 * Where a disk is: where the server says. Its handle counts where the server says nothing, and where it says one zone of a
 * regional disk.
 */
export function placeOfDisk(volumeAz: string, handle: DiskHandle | undefined): DiskLocation {
  if (volumeAz === "" && handle !== undefined && handle.location !== unspecified) return placeOfHandle(handle);
  const said = requireLocation(volumeAz);
  const isRegional = handle?.scope === "regions" && said.scope === "zones" && handle.location === regionOf(said.name);
  return isRegional ? placeOfHandle(handle) : said;
}

/** Where a disk is restored: where the server says, else where the disk was that was backed up. */
export function placeToRestore(volumeAz: string, source: DiskHandle | undefined): DiskLocation {
  // The zones of a regional disk stand in no snapshot.
  if (volumeAz === "" && source?.scope === "zones") return placeOfHandle(source);
  return requireLocation(volumeAz);
}

function requireLocation(volumeAz: string): DiskLocation {
  if (volumeAz !== "") return readLocation(volumeAz);
  throw new PluginError("find the zone of the disk: neither the backup nor the disk's PersistentVolume tells it", {
    kind: "invalid-argument",
  });
}

/** Of a regional disk without its zones: enough for one that is there already. */
function placeOfHandle({ scope, location: name }: DiskHandle): DiskLocation {
  return scope === "zones" ? { scope, name } : { scope, name, replicaZones: [] };
}
