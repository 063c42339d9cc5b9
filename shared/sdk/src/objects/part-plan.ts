import type { BlobLimits } from "./blob-driver.ts";

/** How the parts of one upload grow. */
export interface PartPlan {
  /** The largest object that takes one request, and the size of the first parts. */
  readonly firstPartBytes: number;
  /** The size of a part by its 1-based number; undefined beyond the last that the service accepts. */
  sizeOf(number: number): number | undefined;
}

const mebibyte = 1024 ** 2;

/** Eight of them fill the default bound, and S3's throughput per connection is reached from here on. */
const preferredFirstPartBytes = 8 * mebibyte;

/**
 * Each size serves this share of the service's parts before it doubles. On S3 (10 000 parts) that is 200: objects up to
 * 1.6 GiB travel in 8 parts at a time, and the largest object loses less than 3 % of bound/2 x parts.
 */
const stagesPerUpload = 50;

/**
 * Plans part sizes for an object of unknown size: small at first, so that many travel at a time, then doubling until
 * two parts fill the memory bound. `firstPartBytes` is a location's own wish for the size of the first.
 */
export function planParts(limits: BlobLimits, memoryLimitBytes: number, firstPartBytes?: number): PartPlan {
  const fit = (bytes: number): number => clamp(roundDown(bytes, limits), limits.minPartBytes, limits.maxPartBytes);
  const largest = fit(Math.floor(memoryLimitBytes / 2));
  const wanted = firstPartBytes ?? Math.min(preferredFirstPartBytes, Math.floor(memoryLimitBytes / 8));
  const first = Math.min(largest, fit(wanted));
  const stageParts = Math.max(1, Math.floor(limits.maxParts / stagesPerUpload));
  return {
    firstPartBytes: first,
    sizeOf: (number) => {
      if (number > limits.maxParts) return undefined;
      const stage = Math.floor((number - 1) / stageParts);
      return Math.min(largest, first * 2 ** stage);
    },
  };
}

function roundDown(bytes: number, { partMultipleBytes = 1 }: BlobLimits): number {
  return bytes - (bytes % partMultipleBytes);
}

/** The largest object that an upload with this memory can hold, in bytes. */
export function largestObjectBytes(limits: BlobLimits, memoryLimitBytes: number, firstPartBytes?: number): number {
  const plan = planParts(limits, memoryLimitBytes, firstPartBytes);
  let sum = 0;
  for (let number = 1; number <= limits.maxParts && sum < limits.maxObjectBytes; number += 1)
    sum += plan.sizeOf(number) ?? 0;
  return Math.min(sum, limits.maxObjectBytes);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
