import type { Disk, Encryption } from "@azure/arm-compute";
import type { Tags } from "@flotilla/sdk/volumes";
import { markPrefix } from "./managed-disk-tags.ts";

/** What the server's protocol has no field for and a restored disk needs to be the one that was backed up. */
export interface DiskMarks {
  readonly iops: number | undefined;
  /** In MB/s. */
  readonly throughput: number | undefined;
  /** In bytes. */
  readonly logicalSectorSize: number | undefined;
  readonly encryption: Encryption | undefined;
  readonly encryptionType: string | undefined;
  readonly zone: string | undefined;
  /** Of a copy in another region: the disk encryption set of the disk, which is of no use there. */
  readonly leftEncryptionSet: string | undefined;
}

const iopsMark = `${markPrefix}iops`;
const throughputMark = `${markPrefix}throughput`;
const sectorSizeMark = `${markPrefix}logical-sector-size`;
const encryptionSetMark = `${markPrefix}disk-encryption-set`;
const encryptionTypeMark = `${markPrefix}encryption-type`;
const leftEncryptionSetMark = `${markPrefix}origin-disk-encryption-set`;
const zoneMark = `${markPrefix}zone`;

// Their performance is bought apart from their size, and they can be snapshotted incrementally only.
const provisionedSkus = new Set(["UltraSSD_LRS", "PremiumV2_LRS"]);

/** Whether disks of this SKU have IOPS and throughput of their own. */
export function isProvisioned(sku: string | undefined): boolean {
  return provisionedSkus.has(sku ?? "");
}

/** The marks for the snapshot of a disk; none for a disk that Azure restores without them. */
export function marksOf(disk: Disk): Tags {
  const { encryption, zones } = disk;
  const provisioned = isProvisioned(disk.sku?.name)
    ? {
        [iopsMark]: disk.diskIopsReadWrite?.toString(),
        [throughputMark]: disk.diskMBpsReadWrite?.toString(),
        [sectorSizeMark]: disk.creationData?.logicalSectorSize?.toString(),
      }
    : {};
  const encrypted =
    encryption?.diskEncryptionSetId === undefined
      ? {}
      : { [encryptionSetMark]: encryption.diskEncryptionSetId, [encryptionTypeMark]: encryption.type };
  const placed = zones?.length === 1 ? { [zoneMark]: zones[0] } : {};
  const all = Object.entries({ ...provisioned, ...encrypted, ...placed });
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Reads the marks of a snapshot; what is absent or odd is undefined, and Azure decides as it would for the official plugin. */
export function readMarks(snapshot: Tags): DiskMarks {
  const diskEncryptionSetId = snapshot[encryptionSetMark];
  const type = snapshot[encryptionTypeMark];
  return {
    iops: positiveInteger(snapshot[iopsMark]),
    throughput: positiveInteger(snapshot[throughputMark]),
    logicalSectorSize: positiveInteger(snapshot[sectorSizeMark]),
    encryption:
      diskEncryptionSetId === undefined ? undefined : { diskEncryptionSetId, ...(type === undefined ? {} : { type }) },
    encryptionType: type,
    zone: snapshot[zoneMark],
    leftEncryptionSet: snapshot[leftEncryptionSetMark],
  };
}

/**
 * The tags of a snapshot for its copy in another region, marks first. A disk encryption set is of one region: that of the
 * target takes its place, or it is only remembered, since a disk that was encrypted with a customer's key is never
 * restored without one. `snapshotSet` is the snapshot's own, which the official plugin's snapshots have without a mark.
 */
export function movedMarks(tags: Tags, snapshotSet: string | undefined, encryptionSet: string | undefined): Tags {
  const { [encryptionSetMark]: marked, ...others } = tags;
  const own = marked ?? snapshotSet;
  if (own === undefined) return tags;
  const moved = encryptionSet === undefined ? { [leftEncryptionSetMark]: own } : { [encryptionSetMark]: encryptionSet };
  return { ...moved, ...others };
}

function positiveInteger(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
