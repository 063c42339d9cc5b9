import type { Tags } from "@flotilla/sdk/volumes";
import type { GceDisk } from "./gce-resources.ts";
import { zoneSeparator, zonesIn } from "./persistent-disk-ids.ts";
import { markPrefix } from "./persistent-disk-tags.ts";
import { hasIops, hasThroughput } from "./persistent-disk-type.ts";

/** What the server's protocol has no field for and a restored disk needs to be the one that was backed up. */
export interface DiskMarks {
  readonly iops: string | undefined;
  /** In MiB/s. */
  readonly throughput: string | undefined;
  readonly accessMode: string | undefined;
  readonly kmsKeyName: string | undefined;
  /** Of a disk with two zones, joined as the server joins them. */
  readonly replicaZones: string | undefined;
}

const iopsMark = `${markPrefix}iops`;
const throughputMark = `${markPrefix}throughput`;
const accessModeMark = `${markPrefix}access-mode`;
const replicaZonesMark = `${markPrefix}replica-zones`;

/** The key of the disk, or of those that are made of a copy. */
export const kmsKeyMark = `${markPrefix}kms-key`;

// What a disk has without asking for it.
const usualAccessMode = "READ_WRITE_SINGLE";

/**
 * The marks for the snapshot of a disk, of which the server records a zone; none for a disk that Compute Engine restores
 * without them.
 */
export function marksOf(disk: GceDisk, volumeAz: string): Tags {
  const type = disk.type ?? "";
  const all = {
    [iopsMark]: hasIops(type) ? disk.provisionedIops : undefined,
    [throughputMark]: hasThroughput(type) ? disk.provisionedThroughput : undefined,
    [accessModeMark]: disk.accessMode === usualAccessMode ? undefined : disk.accessMode,
    [kmsKeyMark]: keyName(disk.diskEncryptionKey?.kmsKeyName),
    [replicaZonesMark]: zonesIn(volumeAz).length > 1 ? undefined : zonesOfDisk(disk),
  };
  return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** Reads the marks of a snapshot; what is absent or odd is undefined, and Compute Engine decides as for the official plugin. */
export function readMarks(snapshot: Tags): DiskMarks {
  return {
    iops: positiveInteger(snapshot[iopsMark]),
    throughput: positiveInteger(snapshot[throughputMark]),
    accessMode: snapshot[accessModeMark],
    kmsKeyName: snapshot[kmsKeyMark],
    replicaZones: joinedZones(snapshot[replicaZonesMark]),
  };
}

/**
 * The recorded place of a disk: both its zones where the server recorded one of them. It reads one zone of an expression,
 * and a PersistentVolume may name both in one.
 */
export function recordedPlace(volumeAz: string, { replicaZones }: DiskMarks): string {
  if (replicaZones === undefined) return volumeAz;
  return volumeAz === "" || zonesIn(replicaZones).includes(volumeAz) ? replicaZones : volumeAz;
}

/** The key without the version that the service answers: what is made later takes the version of its time. */
export function keyName(kmsKeyName: string | undefined): string | undefined {
  return kmsKeyName?.replace(/\/cryptoKeyVersions\/[^/]+$/, "");
}

function zonesOfDisk({ replicaZones = [] }: GceDisk): string | undefined {
  return joinedZones(replicaZones.map((url) => url.slice(url.lastIndexOf("/") + 1)).join(zoneSeparator));
}

function joinedZones(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9-]+__[a-z0-9-]+$/.test(text) ? text : undefined;
}

function positiveInteger(text: string | undefined): string | undefined {
  return text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? text : undefined;
}
