import type { Tags } from "@flotilla/sdk/volumes";
import type { GceDisk } from "./gce-resources.ts";
import { markPrefix } from "./persistent-disk-tags.ts";
import { hasIops, hasThroughput } from "./persistent-disk-type.ts";

/** What the server's protocol has no field for and a restored disk needs to be the one that was backed up. */
export interface DiskMarks {
  readonly iops: string | undefined;
  /** In MiB/s. */
  readonly throughput: string | undefined;
  readonly accessMode: string | undefined;
  readonly kmsKeyName: string | undefined;
}

const iopsMark = `${markPrefix}iops`;
const throughputMark = `${markPrefix}throughput`;
const accessModeMark = `${markPrefix}access-mode`;

/** The key of the disk, or of those that are made of a copy. */
export const kmsKeyMark = `${markPrefix}kms-key`;

// What a disk has without asking for it.
const usualAccessMode = "READ_WRITE_SINGLE";

/** The marks for the snapshot of a disk; none for a disk that Compute Engine restores without them. */
export function marksOf(disk: GceDisk): Tags {
  const type = disk.type ?? "";
  const all = {
    [iopsMark]: hasIops(type) ? disk.provisionedIops : undefined,
    [throughputMark]: hasThroughput(type) ? disk.provisionedThroughput : undefined,
    [accessModeMark]: disk.accessMode === usualAccessMode ? undefined : disk.accessMode,
    [kmsKeyMark]: keyName(disk.diskEncryptionKey?.kmsKeyName),
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
  };
}

/** The key without the version that the service answers: what is made later takes the version of its time. */
export function keyName(kmsKeyName: string | undefined): string | undefined {
  return kmsKeyName?.replace(/\/cryptoKeyVersions\/[^/]+$/, "");
}

function positiveInteger(text: string | undefined): string | undefined {
  return text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? text : undefined;
}
