import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import type { Faults, LoggedRequest } from "@flotilla/test/emulators";

import { startBlobRig } from "../wire-azure/blob-rig.ts";
import type { BlobRig, BlobRigOptions } from "../wire-azure/blob-rig.ts";
import { startGcsRig } from "../wire-gcp/gcs-rig.ts";
import type { GcsRig } from "../wire-gcp/gcs-rig.ts";
import { bytesOf } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { startObjectRig } from "../wire/object-rig.ts";
import type { ObjectRig, ObjectRigOptions } from "../wire/object-rig.ts";

/** A cloud's stand-in, with what the tests of copies need of its rig. */
export interface Cloud {
  readonly provider: "aws" | "azure" | "gcp";
  readonly faults: Faults;
  /** The names of its operations. */
  readonly operations: { readonly put: string; readonly get: string; readonly remove: string };
  /** Makes a bucket and opens it. */
  place(bucket: string, options?: PlaceOptions): Promise<Place>;
  requestsOf(bucket: string, operation?: string): readonly LoggedRequest[];
  close(): Promise<void>;
}

/** How a place differs from the usual one. */
interface PlaceOptions {
  readonly prefix?: string;
  readonly config?: Readonly<Record<string, string>>;
  readonly accessMode?: "ReadOnly" | "ReadWrite";
  /** Whether the bucket is there already. */
  readonly isThere?: boolean;
}

/** A BackupStorageLocation with its file, and a view on it from beside. */
export interface Place {
  readonly cloud: Cloud;
  readonly bucket: string;
  readonly location: Location;
  /** The file of the BackupStorageLocation. */
  readonly bsl: string;
  readonly credentialsFile: string;
  key(backup: string, file: string): string;
  /** All keys below backups/, without the location's prefix, in order. */
  keys(): Promise<readonly string[]>;
  get(backup: string, file: string): Promise<Buffer>;
  put(backup: string, file: string, bytes: Uint8Array): Promise<void>;
  remove(backup: string, file: string): Promise<void>;
  /** Whether a server that syncs this location would find the backup. */
  shows(backup: string): Promise<boolean>;
}

type ConfigOf = (
  bucket: string,
  options: { readonly config: Record<string, string> },
) => Promise<Record<string, string>>;
type Open = (
  bucket: string,
  options: { readonly config: Record<string, string>; readonly bucketIs: "made" | "there" },
) => Promise<Location>;

/** Starts S3. */
export async function startAws(options?: ObjectRigOptions): Promise<Cloud & { readonly rig: ObjectRig }> {
  const rig = await startObjectRig(options);
  const operations = { put: "PutObject", get: "GetObject", remove: "DeleteObject" };
  return { rig, ...cloud("aws", rig, rig.s3.faults, operations) };
}

/** Starts Blob Storage. */
export async function startAzure(options?: BlobRigOptions): Promise<Cloud & { readonly rig: BlobRig }> {
  const rig = await startBlobRig(options);
  const operations = { put: "PutBlob", get: "GetBlob", remove: "DeleteBlob" };
  return { rig, ...cloud("azure", rig, rig.blob.faults, operations) };
}

/** Starts Cloud Storage. */
export async function startGcp(): Promise<Cloud & { readonly rig: GcsRig }> {
  const rig = await startGcsRig();
  const operations = { put: "InsertObject", get: "ReadObject", remove: "DeleteObject" };
  return { rig, ...cloud("gcp", rig, rig.gcs.faults, operations) };
}

/** The flags that name two places. */
export function between(from: Place, to: Place): readonly string[] {
  const source = ["--from", from.bsl, "--from-credentials-file", from.credentialsFile];
  return [...source, "--to", to.bsl, "--to-credentials-file", to.credentialsFile];
}

/** What a backup is made of: as many files as the server writes, one of them large. */
export function filesOf(backup: string, { contentBytes = 300_000, seed = backup } = {}): ReadonlyMap<string, Buffer> {
  const side = (name: string): readonly [string, Buffer] => [
    `${backup}-${name}`,
    gzipSync(JSON.stringify([`${seed} ${name}`])),
  ];
  return new Map([
    [`${backup}.tar.gz`, gzipSync(bytesOf(contentBytes, seed), { level: 0 })],
    side("logs.gz"),
    side("resource-list.json.gz"),
    side("volumesnapshots.json.gz"),
    side("results.gz"),
    ["velero-backup.json", metadataOf(backup, { seed })],
  ]);
}

/** A Backup object as the server stores it. */
export function metadataOf(
  backup: string,
  { seed = backup, phase = "Completed", startedAt = "2026-11-20T01:00:00Z" } = {},
): Buffer {
  const uid = createHash("sha256").update(seed).digest("hex").slice(0, 36);
  return Buffer.from(
    JSON.stringify({
      apiVersion: "velero.io/v1",
      kind: "Backup",
      metadata: { name: backup, namespace: "velero", uid },
      spec: { storageLocation: "default" },
      status: { phase, startTimestamp: startedAt },
    }),
  );
}

/** Stores a backup. */
export async function seedBackup(
  place: Place,
  backup: string,
  files: ReadonlyMap<string, Buffer> = filesOf(backup),
): Promise<ReadonlyMap<string, Buffer>> {
  for (const [file, bytes] of files) await place.put(backup, file, bytes);
  return files;
}

/** The files of a backup that are not what they should be: other bytes, missing, or too many. */
export async function differences(
  place: Place,
  backup: string,
  expected: ReadonlyMap<string, Buffer>,
): Promise<readonly string[]> {
  const there = (await place.keys())
    .filter((key) => key.startsWith(`${backup}/`))
    .map((key) => key.split("/")[1] ?? "");
  const wrong = [...new Set([...there, ...expected.keys()])].map(async (file) => {
    const bytes = expected.get(file);
    if (bytes === undefined || !there.includes(file)) return file;
    return bytes.equals(await place.get(backup, file)) ? "" : file;
  });
  return (await Promise.all(wrong)).filter((file) => file !== "");
}

function cloud(
  provider: Cloud["provider"],
  rig: {
    readonly folder: string;
    readonly open: Open;
    readonly configOf: ConfigOf;
    readonly requestsOf: Cloud["requestsOf"];
    close(): Promise<void>;
  },
  faults: Faults,
  operations: Cloud["operations"],
): Cloud {
  const self: Cloud = {
    provider,
    faults,
    operations,
    requestsOf: rig.requestsOf,
    close: () => rig.close(),
    place: async (bucket, { prefix = "", config = {}, accessMode = "ReadWrite", isThere = false } = {}) => {
      const merged = await rig.configOf(bucket, { config });
      const location = await rig.open(bucket, { config, bucketIs: isThere ? "there" : "made" });
      const bsl = join(rig.folder, `${bucket}.yaml`);
      const { bucket: _bucket, prefix: _prefix, credentialsFile = "", ...spec } = merged;
      const document = {
        apiVersion: "velero.io/v1",
        kind: "BackupStorageLocation",
        metadata: { name: bucket },
        spec: { provider, accessMode, objectStorage: { bucket, prefix }, config: spec },
      };
      await writeFile(bsl, JSON.stringify(document));
      return placeOf(self, location, { bsl, credentialsFile, prefix });
    },
  };
  return self;
}

function placeOf(
  cloud: Cloud,
  location: Location,
  { bsl, credentialsFile, prefix }: { readonly bsl: string; readonly credentialsFile: string; readonly prefix: string },
): Place {
  const folder = prefix === "" ? "backups/" : `${prefix}/backups/`;
  const key = (backup: string, file: string): string => `${folder}${backup}/${file}`;
  return {
    cloud,
    bucket: location.bucket,
    location,
    bsl,
    credentialsFile,
    key,
    keys: async () => (await location.list(folder)).map((full) => full.slice(folder.length)).toSorted(),
    get: async (backup, file) => await location.get(key(backup, file)),
    put: async (backup, file, bytes) => await location.put(key(backup, file), bytes),
    remove: async (backup, file) => await location.store.deleteObject(location.at(key(backup, file))),
    shows: async (backup) => await location.exists(key(backup, "velero-backup.json")),
  };
}
