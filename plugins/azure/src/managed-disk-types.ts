import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { ManagedDiskApi } from "./managed-disk-api.ts";
import type { DiskMarks } from "./managed-disk-marks.ts";
import { isProvisioned } from "./managed-disk-marks.ts";

/** The types of disks of a region, with the zones in which each is offered. */
export type DiskTypes = ReadonlyMap<string, readonly string[]>;

// What takes the place of a type: first what is as fast, then what is as safe, then what there is.
const nearest: Readonly<Record<string, readonly string[]>> = {
  UltraSSD_LRS: ["PremiumV2_LRS", "Premium_LRS"],
  PremiumV2_LRS: ["UltraSSD_LRS", "Premium_LRS"],
  Premium_ZRS: ["Premium_LRS"],
  Premium_LRS: ["StandardSSD_LRS"],
  StandardSSD_ZRS: ["StandardSSD_LRS"],
  StandardSSD_LRS: ["Standard_LRS"],
};
// Of a disk whose sectors are these Azure makes no disk of another kind.
const largeSector = 4096;

/** Looks up once a region which types of disks it has. */
export class RegionDiskTypes {
  readonly #api: Pick<ManagedDiskApi, "diskTypesIn">;
  readonly #subscription: string;
  readonly #known = new Map<string, DiskTypes>();

  constructor(api: Pick<ManagedDiskApi, "diskTypesIn">, subscription: string) {
    this.#api = api;
    this.#subscription = subscription;
  }

  /** Undefined where the identity may not ask, or nobody answers: Azure says then whether it takes a type. */
  async in(region: string, call: Call): Promise<DiskTypes | undefined> {
    const known = this.#known.get(region);
    if (known !== undefined) return known;
    try {
      const types = await this.#api.diskTypesIn(this.#subscription, region, call);
      this.#known.set(region, types);
      return types;
    } catch (error) {
      call.signal.throwIfAborted();
      call.log.info("the disk types of the region cannot be looked up; the recorded type is asked for as it is", {
        region,
        reason: PluginError.from(error).message,
      });
      return undefined;
    }
  }
}

/** The type to restore a volume with: its own where the region has it, else the nearest one there is. */
export function offeredType(type: string, marks: DiskMarks, types: DiskTypes | undefined): string {
  if (type === "" || types === undefined || types.size === 0 || types.has(type)) return type;
  const hasLargeSectors = isProvisioned(type) && (marks.logicalSectorSize ?? largeSector) === largeSector;
  const candidates = (nearest[type] ?? []).filter((one) => !hasLargeSectors || isProvisioned(one));
  return candidates.find((one) => types.has(one)) ?? type;
}
