import { ArmError } from "./arm-error.ts";
import type { DiskSku } from "./model.ts";

/** A region with its availability zones. */
export interface RegionSeed {
  readonly name: string;
  readonly zones?: readonly string[];
  /** The types of disks that it does not have. Default: none. */
  readonly withoutSkus?: readonly DiskSku[];
}

/** How a region refuses everything. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The regions of the stand-in; each can be made to refuse everything. */
export class Regions {
  readonly #zones: ReadonlyMap<string, readonly string[]>;
  readonly #lacking: ReadonlyMap<string, readonly DiskSku[]>;
  readonly #refusals = new Map<string, Refusal>();

  constructor(seeds: readonly RegionSeed[]) {
    this.#zones = new Map(seeds.map(({ name, zones = [] }) => [plainLocation(name), zones]));
    this.#lacking = new Map(seeds.map(({ name, withoutSkus = [] }) => [plainLocation(name), withoutSkus]));
  }

  /** Returns the first region. */
  get first(): string {
    return [...this.#zones.keys()][0] ?? "";
  }

  get names(): readonly string[] {
    return [...this.#zones.keys()];
  }

  /** Tells whether a region has no disks of a type. */
  lacks(location: string, sku: DiskSku): boolean {
    return this.#lacking.get(location)?.includes(sku) === true;
  }

  has(location: string): boolean {
    return this.#zones.has(location);
  }

  zonesOf(location: string): readonly string[] {
    return this.#zones.get(location) ?? [];
  }

  /** Makes a region refuse everything, or ends that. */
  setRefusal(location: string, refusal: Refusal | undefined): void {
    const name = plainLocation(location);
    if (!this.has(name)) throw new Error(`there is no region ${location}`);
    if (refusal === undefined) this.#refusals.delete(name);
    else this.#refusals.set(name, refusal);
  }

  /** Throws where a region refuses everything. */
  check(location: string): void {
    const refusal = this.#refusals.get(location);
    if (refusal !== undefined) throw new ArmError(refusal.status, refusal.code, refusal.message);
  }

  /** Reads the location of a new resource: "East US" is "eastus". */
  read(location: string | undefined, type: string): string {
    if (location === undefined || location === "") {
      throw new ArmError(400, "LocationRequired", "The location property is required for this definition.");
    }
    const name = plainLocation(location);
    if (!this.has(name)) {
      const known = [...this.#zones.keys()].join(",");
      throw new ArmError(
        400,
        "LocationNotAvailableForResourceType",
        `The provided location '${location}' is not available for resource type '${type}'. List of available regions for the resource type is '${known}'.`,
      );
    }
    this.check(name);
    return name;
  }
}

function plainLocation(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}
