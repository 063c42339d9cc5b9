import type { Call } from "./call.ts";
import type { ObjectRef } from "./object-store.ts";

/** What a store keeps about an object's bytes. */
export interface RecordedChecksum {
  /** As the store names it, in lower case: `crc32`, `crc32c`, `crc64nvme`, `sha1`, `sha256`, `md5`. */
  readonly algorithm: string;
  /** Base64 for S3's and GCS's checksums, as those services print them; hex for an MD5 ETag. */
  readonly value: string;
  /** Whether it runs over the whole object or over its parts' checksums. */
  readonly scope: "full-object" | "composite";
}

/** An object as the store describes it. */
export interface ObjectDescription {
  readonly sizeBytes: bigint;
  /** Absent where the store keeps none that this plugin can verify: such an object is served unverified. */
  readonly checksum: RecordedChecksum | undefined;
  /** ETag, generation or version id; may be empty. */
  readonly version: string;
  readonly lastModified: Date | undefined;
  /** Why it cannot be deleted or replaced for now; empty where nothing holds it. */
  readonly hold: string;
}

/** A snapshot as the cloud describes it. */
export interface SnapshotDescription {
  readonly snapshotId: string;
  readonly volumeId: string;
  /** The cloud's own word, for example `pending`, `completed`, `error`. */
  readonly state: string;
  /** 0 to 100. */
  readonly progressPercent: number;
  /** Of the volume, in bytes; 0 where unknown. */
  readonly volumeSizeBytes: bigint;
  readonly encrypted: boolean;
  readonly startedAt: Date | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** One line of a self-test. */
export interface Finding {
  /** `ok`; `advice`: works, but worth knowing; `failure`: backups or restores would fail. */
  readonly severity: "ok" | "advice" | "failure";
  /** What was looked at: a permission (`s3:PutObject`), a key of the location, a file. */
  readonly subject: string;
  /** What was seen, in one sentence. */
  readonly detail: string;
  /** What to do; empty where nothing is. */
  readonly remedy: string;
}

/** An object store that can describe its objects (flotilla.v1 DescribeObject). */
export interface ObjectInspector {
  /** Throws `not-found` for an absent object. */
  describeObject(object: ObjectRef, call: Call): Promise<ObjectDescription>;
}

/** A snapshotter that can describe its snapshots (flotilla.v1 DescribeSnapshot). */
export interface SnapshotInspector {
  /** Throws `not-found` for an unknown snapshot. */
  describeSnapshot(snapshotId: string, call: Call): Promise<SnapshotDescription>;
}

/** An opened location that can test itself (flotilla.v1 Check). */
export interface SelfCheck {
  /**
   * Tries each permission that the location needs, one by one, and reports keys without effect and files of a wrong
   * form. Leaves nothing behind. Never throws for a failed check: that is a finding.
   */
  check(call: Call): AsyncIterable<Finding>;
}

/** An opened location whose store keeps data of its own, such as a repository's packs (flotilla.v1 CheckData). */
export interface DataCheck {
  /**
   * Reads back the part of that data which `subset` says (see isDataSubset) and changes nothing. Damage is a finding;
   * so is that it could not be read.
   */
  checkData(subset: string, call: Call): AsyncIterable<Finding>;
}
