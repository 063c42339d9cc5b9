import { Ec2Error, invalidCombination, invalidValue } from "./ec2-error.ts";
import { volumeTypes } from "./model.ts";
import type { VolumeType } from "./model.ts";

/** What a volume of a type may be. */
interface Rules {
  readonly minGiB: number;
  readonly maxGiB: number;
  /** Absent where IOPS cannot be chosen. */
  readonly iops?: { readonly min: number; readonly max: number; readonly perGiB: number; readonly standard?: number };
  /** Absent where throughput cannot be chosen. */
  readonly throughput?: { readonly min: number; readonly max: number; readonly perIops: number };
}

// As documented for EBS in 2026; gp3 was widened in 2025.
const rules: Readonly<Record<VolumeType, Rules>> = {
  standard: { minGiB: 1, maxGiB: 1024 },
  gp2: { minGiB: 1, maxGiB: 16_384 },
  gp3: {
    minGiB: 1,
    maxGiB: 65_536,
    iops: { min: 3000, max: 80_000, perGiB: 500, standard: 3000 },
    throughput: { min: 125, max: 2000, perIops: 0.25 },
  },
  io1: { minGiB: 4, maxGiB: 16_384, iops: { min: 100, max: 64_000, perGiB: 50 } },
  io2: { minGiB: 4, maxGiB: 65_536, iops: { min: 100, max: 256_000, perGiB: 1000 } },
  st1: { minGiB: 125, maxGiB: 16_384 },
  sc1: { minGiB: 125, maxGiB: 16_384 },
};

/** Reads the name of a volume type; the API's default is gp2. */
export function parseVolumeType(name: string | undefined): VolumeType {
  const type = volumeTypes.find((known) => known === (name ?? "gp2"));
  if (type !== undefined) return type;
  throw invalidValue(
    `Value (${name ?? ""}) for parameter volumeType is invalid. Expected one of: ${volumeTypes.join(", ")}.`,
  );
}

/** Refuses a size that the type does not have. */
export function checkSize(type: VolumeType, sizeGiB: number): void {
  const { minGiB, maxGiB } = rules[type];
  if (sizeGiB >= minGiB && sizeGiB <= maxGiB) return;
  throw invalidValue(
    `Volume of ${sizeGiB}GiB is invalid for type ${type}; it must be between ${minGiB} and ${maxGiB}GiB.`,
  );
}

/** Settles the IOPS of a volume. */
export function settleIops(type: VolumeType, sizeGiB: number, asked: number | undefined): number | undefined {
  const rule = rules[type].iops;
  if (rule === undefined) {
    if (asked !== undefined) throw invalidCombination(`The parameter iops is not supported for ${type} volumes.`);
    return type === "gp2" ? Math.min(16_000, Math.max(100, 3 * sizeGiB)) : undefined;
  }
  if (asked === undefined) {
    if (rule.standard !== undefined) return rule.standard;
    throw invalidCombination(`The parameter iops must be specified for ${type} volumes.`);
  }
  if (asked < rule.min) throw invalidValue(`Volume iops of ${asked} is too low; minimum is ${rule.min}.`);
  if (asked > rule.max) throw invalidValue(`Volume iops of ${asked} is too high; maximum is ${rule.max}.`);
  const ratio = asked / sizeGiB;
  if (ratio > rule.perGiB && asked > (rule.standard ?? 0)) {
    throw invalidValue(`Iops to volume size ratio of ${ratio.toFixed(6)} is too high; maximum is ${rule.perGiB}`);
  }
  return asked;
}

/** Settles the throughput of a volume in MiB/s. */
export function settleThroughput(
  type: VolumeType,
  iops: number | undefined,
  asked: number | undefined,
): number | undefined {
  const rule = rules[type].throughput;
  if (rule === undefined) {
    if (asked === undefined) return undefined;
    throw invalidCombination(`The parameter throughput is not supported for ${type} volumes.`);
  }
  if (asked === undefined) return rule.min;
  if (asked < rule.min) throw invalidValue(`Volume throughput of ${asked} is too low; minimum is ${rule.min}.`);
  if (asked > rule.max) throw invalidValue(`Volume throughput of ${asked} is too high; maximum is ${rule.max}.`);
  if (asked > (iops ?? 0) * rule.perIops) {
    throw invalidValue(
      `Throughput (MiBps) to iops ratio of ${(asked / (iops ?? 1)).toFixed(6)} is too high; maximum is ${rule.perIops}`,
    );
  }
  return asked;
}

/** Refuses a key for something that is not encrypted. */
export function checkKeyUse(keyId: string | undefined, isEncrypted: boolean): void {
  if (keyId === undefined || keyId === "" || isEncrypted) return;
  throw new Ec2Error(
    "InvalidParameterDependency",
    "The parameter [KmsKeyId] requires the parameter Encrypted to be set.",
  );
}
