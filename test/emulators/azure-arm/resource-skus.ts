import { ArmError } from "./arm-error.ts";
import { diskSkus, snapshotSkus } from "./model.ts";
import type { DiskSku } from "./model.ts";
import type { Regions } from "./regions.ts";

/** ResourceSkus_List, of disks and snapshots only; the one filter that Azure knows is by location. */
export function listSkus(regions: Regions, filter: string | undefined): Readonly<Record<string, unknown>> {
  const wanted = filter === undefined ? undefined : readFilter(filter);
  const names = regions.names.filter((name) => wanted === undefined || name === wanted);
  const value = names.flatMap((location) => {
    regions.check(location);
    const zones = regions.zonesOf(location);
    const entry = (resourceType: string, name: string): Readonly<Record<string, unknown>> => ({
      resourceType,
      name,
      locations: [location],
      locationInfo: [{ location, zones: name.endsWith("_ZRS") ? [] : zones }],
      restrictions: [],
    });
    const offered = (name: string): boolean => !name.endsWith("_ZRS") || zones.length > 0;
    return [
      ...diskSkus.filter((name) => offered(name) && !regions.lacks(location, name)).map((name) => entry("disks", name)),
      ...snapshotSkus.filter(offered).map((name) => entry("snapshots", name)),
    ];
  });
  return { value };
}

/** Refuses a disk of a type that a region does not have. */
export function checkOffered(regions: Regions, subscriptionId: string, location: string, sku: DiskSku): void {
  if (!regions.lacks(location, sku)) return;
  throw new ArmError(
    409,
    "SkuNotAvailable",
    `The requested tier for resource '${sku}' is currently not available in location '${location}' for subscription '${subscriptionId}'. Please try another tier or deploy to a different location.`,
  );
}

function readFilter(filter: string): string {
  const [, location] = /^location eq '([^']+)'$/.exec(filter) ?? [];
  if (location !== undefined) return location.replaceAll(" ", "").toLowerCase();
  throw new ArmError(400, "InvalidParameter", `The filter '${filter}' is not supported.`);
}
