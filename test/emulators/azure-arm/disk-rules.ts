import { invalidParameter } from "./arm-error.ts";
import type { DiskSku } from "./model.ts";

/** What a disk is provisioned for. */
export interface Performance {
  readonly iops: number;
  readonly mbps: number;
}

type Tier = readonly [upToGiB: number, iops: number, mbps: number];

// The tables of managed disk types in the documentation of Azure's disks.
const premium: readonly Tier[] = [
  [32, 120, 25],
  [64, 240, 50],
  [128, 500, 100],
  [256, 1100, 125],
  [512, 2300, 150],
  [1024, 5000, 200],
  [4096, 7500, 250],
  [8192, 16_000, 500],
  [16_384, 18_000, 750],
  [32_767, 20_000, 900],
];
const standardSsd: readonly Tier[] = [
  [4096, 500, 100],
  [8192, 2000, 400],
  [16_384, 4000, 600],
  [32_767, 6000, 750],
];
const standardHdd: readonly Tier[] = [
  [4096, 500, 60],
  [8192, 1300, 300],
  [32_767, 2000, 500],
];

interface Provisioned {
  readonly minGiB: number;
  readonly maxGiB: number;
  readonly standard: Performance;
  readonly minIops: number;
  readonly maxIops: number;
  readonly perGiB: number;
  readonly minMbps: number;
  readonly maxMbps: number;
}

// A MB/s for each four IOPS of 256 KiB is what both can carry.
const mbpsPerIops = 0.256;
const premiumV2: Provisioned = {
  minGiB: 1,
  maxGiB: 65_536,
  standard: { iops: 3000, mbps: 125 },
  minIops: 3000,
  maxIops: 80_000,
  perGiB: 500,
  minMbps: 125,
  maxMbps: 2000,
};
const ultra: Provisioned = {
  minGiB: 4,
  maxGiB: 65_536,
  // What Azure sets where nothing is asked for is not documented.
  standard: { iops: 500, mbps: 8 },
  minIops: 100,
  maxIops: 400_000,
  perGiB: 1000,
  minMbps: 1,
  maxMbps: 10_000,
};

type Rule = { readonly tiers: readonly Tier[] } | { readonly provisioned: Provisioned };

const rules: Readonly<Record<DiskSku, Rule>> = {
  Standard_LRS: { tiers: standardHdd },
  StandardSSD_LRS: { tiers: standardSsd },
  StandardSSD_ZRS: { tiers: standardSsd },
  Premium_LRS: { tiers: premium },
  Premium_ZRS: { tiers: premium },
  PremiumV2_LRS: { provisioned: premiumV2 },
  UltraSSD_LRS: { provisioned: ultra },
};

/** Tells whether performance is bought apart from the size; such disks have only incremental snapshots, which need their copy. */
export function isProvisioned(sku: DiskSku): boolean {
  return "provisioned" in rules[sku];
}

/** Tells whether the data is in all zones of the region. */
export function isZoneRedundant(sku: DiskSku): boolean {
  return sku.endsWith("_ZRS");
}

/** Refuses a size that the kind of disk does not have. */
export function checkSize(sku: DiskSku, sizeGiB: number): void {
  const rule = rules[sku];
  const minGiB = "provisioned" in rule ? rule.provisioned.minGiB : 1;
  const maxGiB = "provisioned" in rule ? rule.provisioned.maxGiB : 32_767;
  if (sizeGiB >= minGiB && sizeGiB <= maxGiB) return;
  throw invalidParameter(
    `The value '${sizeGiB}' of parameter 'disk.diskSizeGb' is out of range. The value must be between '${minGiB}' and '${maxGiB}', inclusive.`,
  );
}

/** Settles IOPS and throughput. */
export function settlePerformance(
  sku: DiskSku,
  sizeGiB: number,
  iops: number | undefined,
  mbps: number | undefined,
): Performance {
  const rule = rules[sku];
  if ("provisioned" in rule) return settleProvisioned(rule.provisioned, sizeGiB, iops, mbps);
  const asked = iops === undefined ? mbps && "diskMBpsReadWrite" : "diskIOPSReadWrite";
  if (asked !== undefined) {
    throw invalidParameter(`The parameter '${asked}' can be set only on disks of type UltraSSD_LRS and PremiumV2_LRS.`);
  }
  const [, tierIops = 0, tierMbps = 0] = rule.tiers.find(([upTo]) => sizeGiB <= upTo) ?? [];
  return { iops: tierIops, mbps: tierMbps };
}

function settleProvisioned(
  rule: Provisioned,
  sizeGiB: number,
  askedIops: number | undefined,
  askedMbps: number | undefined,
): Performance {
  const iops = askedIops ?? rule.standard.iops;
  const mostIops = Math.min(rule.maxIops, Math.max(rule.standard.iops, rule.perGiB * sizeGiB));
  checkRange("diskIOPSReadWrite", iops, rule.minIops, mostIops);
  const mbps = askedMbps ?? rule.standard.mbps;
  const mostMbps = Math.min(rule.maxMbps, Math.max(rule.standard.mbps, Math.floor(iops * mbpsPerIops)));
  checkRange("diskMBpsReadWrite", mbps, rule.minMbps, mostMbps);
  return { iops, mbps };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw invalidParameter(
    `The value '${value}' of parameter '${name}' is out of range. The value must be between '${least}' and '${most}', inclusive.`,
  );
}
