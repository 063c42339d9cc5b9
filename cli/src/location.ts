import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { UsageError } from "./cli-error.ts";
import { readLocationFile } from "./location-file.ts";
import type { LocationFile } from "./location-file.ts";

/** The flags that say where backups and snapshots are. */
export interface LocationFlags {
  readonly provider?: string;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly config: readonly string[];
  readonly credentialsFile?: string;
  readonly caCert?: string;
  readonly location?: string;
  readonly volumeLocation?: string;
  readonly volumeConfig: readonly string[];
  /** Of two locations, the one that flags and file describe: `--from-credentials-file`. */
  readonly side?: LocationSide;
}

/** Which of two locations. */
export type LocationSide = "from" | "to";

/** A BackupStorageLocation, ready for Init. */
export interface ObjectLocation {
  readonly name: string;
  readonly provider: string;
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** What the server would send: `spec.config` with bucket, prefix, caCert and credentialsFile merged in. */
  readonly config: Readonly<Record<string, string>>;
  readonly isReadOnly: boolean;
}

/** A VolumeSnapshotLocation, ready for Init. */
export interface VolumeLocation {
  readonly name: string;
  readonly provider: string;
  readonly config: Readonly<Record<string, string>>;
}

const defaultProvider = "aws";
const defaultName = "default";

/** The BackupStorageLocation that flags and file describe together; a flag wins over the file. */
export async function resolveObjectLocation(flags: LocationFlags): Promise<ObjectLocation> {
  const file = await optionalFile(flags.location, "BackupStorageLocation");
  const bucket = checkedBucket(trimSlashes(flags.bucket ?? file?.bucket ?? ""));
  const prefix = trimSlashes(flags.prefix ?? file?.prefix ?? "");
  const config = {
    ...merged(file, parsePairs(flags.config, flagOf(flags, "config"))),
    bucket,
    prefix,
    ...(await caCertificate(flags, file)),
    ...credentials(flags, file),
  };
  return { ...identity(flags, file), bucket, prefix, config, isReadOnly: file?.isReadOnly ?? false };
}

/** The same place without its copies, which would answer for what it has lost or damaged: for whoever judges it. */
export function withoutCopies(location: ObjectLocation): ObjectLocation {
  const config = Object.fromEntries(Object.entries(location.config).filter(([key]) => key !== "copyTo"));
  return { ...location, config };
}

/** The VolumeSnapshotLocation of the flags; undefined where none was given. */
export async function resolveVolumeLocation(flags: LocationFlags): Promise<VolumeLocation | undefined> {
  const file = await optionalFile(flags.volumeLocation, "VolumeSnapshotLocation");
  if (file === undefined && flags.volumeConfig.length === 0) return undefined;
  const given = parsePairs(flags.volumeConfig, "--volume-config");
  const config = { ...merged(file, given), ...credentials(flags, file) };
  return { ...identity(flags, file), config };
}

/** Reads `key=value` words into a map. */
export function parsePairs(pairs: readonly string[], flag: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key, ...value] = pair.split("=");
      if (key === undefined || key === "" || value.length === 0) {
        throw new UsageError(`${flag} ${pair}: give it as ${flag} key=value`);
      }
      return [key, value.join("=")] as const;
    }),
  );
}

/**
 * The file's keys under those of flags. Where a flag says by which file, Secret or command a key or password is had, the
 * file's own word on it goes: its Secret may be one of a cluster that is gone.
 */
function merged(
  file: LocationFile | undefined,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const said = new Set(Object.entries(given).flatMap(([key, value]) => (value === "" ? [] : [secretOf(key) ?? key])));
  const kept = Object.entries(file?.config ?? {}).filter(([key]) => !said.has(secretOf(key) ?? key));
  return { ...Object.fromEntries(kept), ...given };
}

/** What a key is about that says where a secret is: `password` of `passwordFile`. */
function secretOf(key: string): string | undefined {
  return /^(.*(?:password|keyEncryption))(?:File|Secret|Command)$/i.exec(key)?.[1];
}

async function optionalFile(path: string | undefined, kind: LocationFile["kind"]): Promise<LocationFile | undefined> {
  return path === undefined ? undefined : await readLocationFile(path, kind);
}

function credentials(flags: LocationFlags, file: LocationFile | undefined): Readonly<Record<string, string>> {
  if (flags.credentialsFile !== undefined) return { credentialsFile: resolve(flags.credentialsFile) };
  if (file?.secret === undefined) return {};
  const { name, key } = file.secret;
  throw new UsageError(
    `${file.path} takes its credentials from the secret "${name}" (key "${key}"), which cannot be read from here: ` +
      `save the secret's value in a file and give it as ${flagOf(flags, "credentials-file")} FILE`,
  );
}

function identity(flags: LocationFlags, file: LocationFile | undefined): { name: string; provider: string } {
  // The server would take the bare word for one of velero.io's, of which there is none.
  const given = flags.provider === "restic" ? "flotilla.io/restic" : flags.provider;
  return { name: file?.name ?? defaultName, provider: given ?? file?.provider ?? defaultProvider };
}

/** A bucket's name as the server takes it. */
export function checkedBucket(bucket: string): string {
  if (bucket === "") {
    throw new UsageError("no bucket given: add --bucket NAME, or --location FILE with a BackupStorageLocation");
  }
  if (!bucket.includes("/")) return bucket;
  throw new UsageError(`the bucket ${bucket} holds a slash: give what follows it as --prefix`);
}

async function caCertificate(
  flags: LocationFlags,
  file: LocationFile | undefined,
): Promise<Readonly<Record<string, string>>> {
  const caCert = flags.caCert === undefined ? file?.caCert : await readText(flags.caCert, flagOf(flags, "ca-cert"));
  if (caCert !== undefined) return { caCert };
  if (file?.caSecret === undefined) return {};
  throw new UsageError(
    `${file.path} takes its CA from a secret, which cannot be read from here: give it as ${flagOf(flags, "ca-cert")} FILE`,
  );
}

/** A flag as it is spelled for this location. */
function flagOf({ side }: LocationFlags, name: string): string {
  return side === undefined ? `--${name}` : `--${side}-${name}`;
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`${flag} ${path} cannot be read: ${String(error)}`, { cause: error });
  }
}

function trimSlashes(text: string): string {
  return text.replaceAll(/^\/+|\/+$/g, "");
}
