export { checkContentsOfCopies } from "./contents-of-copies.ts";
export { readBlocks } from "./block-reader.ts";
export type { BlockReaderOptions } from "./block-reader.ts";
export type {
  BlobDescription,
  BlobDriver,
  BlobLimits,
  BlobPage,
  BlobRange,
  BlobRead,
  BlobUpload,
  BlobVersion,
  Checksum,
  ChecksumAlgorithm,
  CompletedUpload,
  CopySource,
  StoredChecksum,
  UploadedPart,
} from "./blob-driver.ts";
export { checksumOf, combineChecksums, createChecksum, isSameChecksum, printChecksum } from "./checksum.ts";
export type { ComputedAlgorithm, RunningChecksum } from "./checksum.ts";
export type { CopiesOptions } from "./copies.ts";
export type { CopyPlace, LocationRoot } from "./copy-place.ts";
export { defaultMemoryLimitBytes, driverObjectStore } from "./driver-object-store.ts";
export type { DriverObjectStoreOptions } from "./driver-object-store.ts";
export { LocationCopyPlace } from "./location-copy-place.ts";
export type { CopyPlaceOpener } from "./location-copy-place.ts";
export { guardGzip } from "./gzip-guard.ts";
export { verified } from "./integrity.ts";
export { compareKeys } from "./listing.ts";
export { nameOf } from "./object-name.ts";
export { largestObjectBytes } from "./part-plan.ts";
export { tryCopy } from "./try-copy.ts";
export type { CopyEnd } from "./try-copy.ts";
