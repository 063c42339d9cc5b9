import { diskTypesOf } from "./disk-types.ts";
import { GceError, invalidField } from "./gce-error.ts";
import type { Place } from "./place.ts";
import { regionOf } from "./place.ts";

/** A region with its zones. */
export interface GceRegionSeed {
  readonly name: string;
  readonly zones: readonly string[];
  /** The types of disks that it does not have. Default: none. */
  readonly withoutDiskTypes?: readonly string[];
}

/** How a region refuses everything. */
export interface GceRefusal {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}

/** The regions of the stand-in; each can be made to refuse everything. */
export class GceRegions {
  readonly #zones: ReadonlyMap<string, readonly string[]>;
  readonly #missingTypes: ReadonlyMap<string, readonly string[]>;
  readonly #refusals = new Map<string, GceRefusal>();

  constructor(seeds: readonly GceRegionSeed[]) {
    this.#zones = new Map(seeds.map(({ name, zones }) => [name, zones]));
    this.#missingTypes = new Map(seeds.map(({ name, withoutDiskTypes = [] }) => [name, withoutDiskTypes]));
  }

  get names(): readonly string[] {
    return [...this.#zones.keys()];
  }

  zonesOf(region: string): readonly string[] {
    return this.#zones.get(region) ?? [];
  }

  /** Makes a region refuse everything, or ends that. */
  setRefusal(region: string, refusal: GceRefusal | undefined): void {
    if (!this.#zones.has(region)) throw new Error(`there is no region ${region}`);
    if (refusal === undefined) this.#refusals.delete(region);
    else this.#refusals.set(region, refusal);
  }

  /** Throws for a place that does not exist or refuses everything. */
  check(place: Place): void {
    if (place.kind === "global") return;
    const region = place.kind === "zone" ? regionOf(place.name) : place.name;
    const zones = this.#zones.get(region);
    const isKnown = zones !== undefined && (place.kind === "region" || zones.includes(place.name));
    if (!isKnown) throw invalidField(place.kind, place.name, `Unknown ${place.kind}.`);
    const refusal = this.#refusals.get(region);
    if (refusal !== undefined) throw new GceError(refusal.status, refusal.reason, refusal.message);
  }

  /** Throws where the bytes of a snapshot are in a region that refuses everything; a multi-region outlives one. */
  checkStored(location: string): void {
    const refusal = this.#refusals.get(location);
    if (refusal !== undefined) throw new GceError(refusal.status, refusal.reason, refusal.message);
  }

  /** Throws where any region refuses everything. */
  checkAll(): void {
    for (const region of this.names) this.checkStored(region);
  }

  /** Tells whether a type of disks exists in a place. */
  hasDiskType(place: Place, type: string): boolean {
    if (place.kind === "global") return false;
    const region = place.kind === "zone" ? regionOf(place.name) : place.name;
    return type in diskTypesOf(place.kind) && this.#missingTypes.get(region)?.includes(type) !== true;
  }

  /** Tells whether snapshots can be stored there: a region, or one of the multi-regions. */
  canStore(location: string): boolean {
    return this.#zones.has(location) || ["us", "eu", "asia"].includes(location);
  }
}

/** Returns the multi-region in which snapshots of a region are stored by default. */
export function multiRegionOf(region: string): string {
  if (region.startsWith("europe-")) return "eu";
  return region.startsWith("asia-") || region.startsWith("australia-") ? "asia" : "us";
}
