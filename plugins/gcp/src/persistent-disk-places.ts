import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { restorePlace } from "@flotilla/sdk/volumes";
import { readLocation, regionOf, zonesIn } from "./persistent-disk-ids.ts";
import type { DiskHandle, DiskLocation } from "./persistent-disk-ids.ts";
import { placeToRestore } from "./persistent-disk-whereabouts.ts";

/** What a location says of the zones of restored disks. */
export interface PlaceOptions {
  readonly zoneMap: ReadonlyMap<string, string>;
  /** A zone, or two joined for disks that have two. */
  readonly defaultZone: string | undefined;
}

/** Where a disk is restored. */
export interface ChosenPlace {
  readonly location: DiskLocation;
  /** Whether it is another place than the backup recorded. */
  readonly isMoved: boolean;
}

/** A place in the server's form, and the key that put the disk there; empty where it is the recorded one. */
interface Place {
  readonly place: string;
  readonly reason: string;
}

/**
 * Zones of restored disks. Every zone of Google Cloud can be restored into, so that a location which names no zones
 * restores where the backup says; with zones, their regions are the cluster's, and all others need one of them.
 */
export class PersistentDiskPlaces {
  readonly #options: PlaceOptions;
  readonly #regions: ReadonlySet<string>;

  constructor(options: PlaceOptions) {
    this.#options = options;
    const { zoneMap, defaultZone } = options;
    const named = [...zoneMap.values(), ...(defaultZone === undefined ? [] : [defaultZone])];
    this.#regions = new Set(named.flatMap((place) => zonesIn(place).map(regionOf)));
  }

  /** The place for a disk, with a line in the log where it is another than the recorded one. */
  choose(snapshotId: string, volumeAz: string, source: DiskHandle | undefined, call: Call): ChosenPlace {
    const recorded = volumeAz === "" && source?.scope === "zones" ? source.location : volumeAz;
    if (this.#regions.size === 0) return { location: placeToRestore(recorded, source), isMoved: false };
    const { place, reason } = this.#placeOf(snapshotId, recorded, source);
    if (reason !== "")
      call.log.info("the disk is restored in another zone than the recorded one", {
        snapshotId,
        recordedZone: recorded,
        zone: place,
        key: reason,
      });
    return { location: readLocation(place), isMoved: reason !== "" };
  }

  /** Whether a PersistentVolume that says these zones cannot be right about a disk that was restored by this location. */
  isElsewhere(zones: readonly string[]): boolean {
    if (this.#regions.size === 0) return false;
    return zones.some((zone) => this.#options.zoneMap.has(zone) || !this.#isHere(zone));
  }

  #placeOf(snapshotId: string, recorded: string, source: DiskHandle | undefined): Place {
    const whole = this.#options.zoneMap.get(recorded);
    if (whole !== undefined) return { place: whole, reason: whole === recorded ? "" : "zoneMap" };
    const zones = zonesIn(recorded);
    const isRegional = zones.length > 1 || (recorded === "" && source?.scope === "regions");
    if (isRegional) return this.#pairOf(snapshotId, recorded, zones);
    const { zone: place, reason } = this.#zoneOf(snapshotId, recorded);
    return { place, reason };
  }

  /** For a disk with two zones: both are mapped or stay, or both are given up for the default. */
  #pairOf(snapshotId: string, recorded: string, zones: readonly string[]): Place {
    const { zoneMap, defaultZone } = this.#options;
    const isElsewhere = zones.length === 0 || zones.some((zone) => !zoneMap.has(zone) && !this.#isHere(zone));
    if (isElsewhere && (defaultZone !== undefined || zones.length === 0)) {
      if (zonesIn(defaultZone ?? "").length < 2) throw needsTwoZones(snapshotId, recorded);
      return { place: defaultZone ?? "", reason: "defaultZone" };
    }
    const chosen = zones.map((zone) => this.#zoneOf(snapshotId, zone));
    if (new Set(chosen.map(({ zone }) => zone)).size < chosen.length) throw needsTwoZones(snapshotId, recorded);
    const reason = chosen.find((one) => one.reason !== "")?.reason ?? "";
    return { place: chosen.map(({ zone }) => zone).join("__"), reason };
  }

  #zoneOf(snapshotId: string, zone: string): ReturnType<typeof restorePlace> {
    const { zoneMap, defaultZone } = this.#options;
    return restorePlace(snapshotId, zone, {
      zoneMap,
      // A disk of one zone takes the first of two.
      defaultZone: defaultZone === undefined ? undefined : zonesIn(defaultZone)[0],
      region: [...this.#regions].join(" or "),
      isHere: (zone) => this.#isHere(zone),
    });
  }

  #isHere(zone: string): boolean {
    return this.#regions.has(regionOf(zone));
  }
}

function needsTwoZones(snapshotId: string, recorded: string): PluginError {
  return new PluginError(
    `create a volume from snapshot "${snapshotId}": its disk was in two zones (${recorded === "" ? "not recorded" : recorded}) and needs two different ones; ` +
      "set the location's key zoneMap for both, or defaultZone to ZONE__ZONE",
    { kind: "invalid-config" },
  );
}
