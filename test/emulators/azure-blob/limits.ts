const mib = 1024 ** 2;

/** Returns the largest block of an API version. */
export function maxBlockBytes(version: string): number {
  if (version >= "2019-12-12") return 4000 * mib;
  return version >= "2016-05-31" ? 100 * mib : 4 * mib;
}

/** Returns the largest blob of one request of an API version. */
export function maxPutBytes(version: string): number {
  if (version >= "2019-12-12") return 5000 * mib;
  return version >= "2016-05-31" ? 256 * mib : 64 * mib;
}

/** The most blocks of a committed blob. */
export const maxBlocks = 50_000;

/** The most blocks of a blob that wait for a list. */
export const maxStagedBlocks = 100_000;

/** The largest source of Copy Blob From URL. */
export const maxSyncCopyBytes = 256 * mib;
