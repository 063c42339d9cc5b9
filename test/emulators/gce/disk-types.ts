import { invalidField } from "./gce-error.ts";

/** What a type of disk allows. */
interface DiskType {
  readonly minGb: number;
  readonly maxGb: number;
  /** The provisioned operations a second; absent where they follow the size. */
  readonly iops?: Range;
  /** The provisioned MiB a second; absent where they follow the size. */
  readonly throughput?: Range;
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** What a disk has that names none. */
  readonly usual: (sizeGb: number) => number;
}

const balanced = {
  minGb: 4,
  maxGb: 65_536,
  iops: { min: 2000, max: 160_000, usual: (gb: number) => Math.min(160_000, 3000 + 6 * gb) },
  throughput: { min: 140, max: 2400, usual: () => 140 },
};

// The limits are those of the documentation; what a Hyperdisk has that names nothing is close to it.
const zonal: Readonly<Record<string, DiskType>> = {
  "pd-standard": { minGb: 10, maxGb: 65_536 },
  "pd-balanced": { minGb: 10, maxGb: 65_536 },
  "pd-ssd": { minGb: 10, maxGb: 65_536 },
  "pd-extreme": { minGb: 500, maxGb: 65_536, iops: { min: 10_000, max: 120_000, usual: () => 100_000 } },
  "hyperdisk-balanced": balanced,
  "hyperdisk-extreme": {
    minGb: 64,
    maxGb: 65_536,
    iops: { min: 2, max: 350_000, usual: (gb) => Math.min(350_000, 100 * gb) },
  },
  "hyperdisk-throughput": {
    minGb: 2048,
    maxGb: 32_768,
    throughput: { min: 10, max: 600, usual: (gb) => Math.min(600, Math.floor((90 * gb) / 1024)) },
  },
  "hyperdisk-ml": { minGb: 4, maxGb: 65_536, throughput: { min: 400, max: 1_200_000, usual: (gb) => 24 * gb } },
};
const regional: Readonly<Record<string, DiskType>> = {
  "pd-standard": { minGb: 200, maxGb: 65_536 },
  "pd-balanced": { minGb: 10, maxGb: 65_536 },
  "pd-ssd": { minGb: 10, maxGb: 65_536 },
  "hyperdisk-balanced-high-availability": { ...balanced, iops: { ...balanced.iops, max: 100_000 } },
};

/** Returns the types of disks of a kind of place. */
export function diskTypesOf(kind: "zone" | "region"): Readonly<Record<string, DiskType>> {
  return kind === "zone" ? zonal : regional;
}

/** What of a new disk depends on its type. */
export interface Performance {
  readonly iops?: number;
  readonly throughput?: number;
}

/** Refuses a size and a performance that the type does not allow, and completes what is not named. */
export function checkType(
  kind: "zone" | "region",
  typeName: string,
  sizeGb: number,
  asked: { readonly iops: number | undefined; readonly throughput: number | undefined },
): Performance {
  const type = diskTypesOf(kind)[typeName];
  if (type === undefined) throw new Error(`the type ${typeName} was not looked up`);
  if (sizeGb < type.minGb || sizeGb > type.maxGb) {
    const bound = sizeGb < type.minGb ? `smaller than ${type.minGb}` : `larger than ${type.maxGb}`;
    throw invalidField("resource.sizeGb", String(sizeGb), `Disk size cannot be ${bound} GB.`);
  }
  return {
    ...choose("iops", "provisionedIops", "Provisioned IOPS", typeName, type.iops, asked.iops, sizeGb),
    ...choose(
      "throughput",
      "provisionedThroughput",
      "Provisioned throughput",
      typeName,
      type.throughput,
      asked.throughput,
      sizeGb,
    ),
  };
}

function choose(
  key: "iops" | "throughput",
  field: string,
  words: string,
  typeName: string,
  range: Range | undefined,
  asked: number | undefined,
  sizeGb: number,
): Performance {
  if (range === undefined) {
    if (asked === undefined || asked === 0) return {};
    throw invalidField(`resource.${field}`, String(asked), `${words} cannot be specified with disk type ${typeName}.`);
  }
  const value = asked === undefined || asked === 0 ? Math.max(range.min, range.usual(sizeGb)) : asked;
  if (value < range.min || value > range.max) {
    throw invalidField(
      `resource.${field}`,
      String(value),
      `${words} must be between ${range.min} and ${range.max} for disk type ${typeName}.`,
    );
  }
  return { [key]: value };
}
