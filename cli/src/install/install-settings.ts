import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { UsageError } from "../cli-error.ts";
import type { CliContext } from "../context.ts";
import { checkedImage, withoutSlash } from "../image-reference.ts";
import { checkedBucket, parsePairs } from "../location.ts";
import type { LocationFlags } from "../location.ts";
import { readLocationFile } from "../location-file.ts";
import type { LocationFile, SecretKey } from "../location-file.ts";
import { cloudOf, keysOf } from "../plugin-facts/plugin-facts.ts";
import type { Cloud } from "../plugin-facts/plugin-facts.ts";

/** The flags of `flotilla install`. */
export interface InstallFlags extends LocationFlags {
  readonly namespace: string;
  readonly registry: string;
  readonly tag: string;
  readonly image?: string;
  readonly cliImage?: string;
  readonly identity?: string;
  readonly secret: boolean;
  readonly volumes: boolean;
  readonly verifySchedule: string;
  readonly copySchedule: string;
  readonly copyTo?: string;
}

/** A BackupStorageLocation that is to be. */
interface WantedStore {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
  /** PEM. */
  readonly caCert: string | undefined;
  /** The file that it is from, where a flag named one. */
  readonly caCertPath: string | undefined;
  /** The Secret that it is from, where the location names one. */
  readonly caSecret: SecretKey | undefined;
  readonly isReadOnly: boolean;
  /** Undefined where nothing is to be said of it: another location may be the default one. */
  readonly isDefault: boolean | undefined;
  readonly frequencies: LocationFile["frequencies"];
  readonly secret: SecretKey | undefined;
  readonly marks: LocationFile["marks"];
}

/** A VolumeSnapshotLocation that is to be. */
interface WantedVolumes {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly secret: SecretKey | undefined;
  readonly marks: LocationFile["marks"];
}

/** What is to be installed. */
export interface InstallSettings {
  readonly cloud: Cloud;
  /** As a location names it. */
  readonly provider: string;
  readonly namespace: string;
  readonly image: string;
  readonly cliImage: string;
  readonly store: WantedStore;
  readonly volumes: WantedVolumes | undefined;
  /** The file with the credentials, and what is in it. */
  readonly credentials: { readonly path: string; readonly text: string } | undefined;
  /** The cloud's identity that the server's service account stands for. */
  readonly identity: string | undefined;
  /** Whether credentials that were not given come in a Secret of the user's making. */
  readonly expectsSecret: boolean;
  readonly schedules: { readonly verify: string; readonly copy: string };
  /** The location that backups are copied to by a CronJob. */
  readonly copyTo: CopyTarget | undefined;
}

/** Where a CronJob copies backups to. */
interface CopyTarget {
  readonly location: LocationFile;
  readonly cloud: Cloud;
  readonly image: string;
}

/** Where it lies in the Secret, as in the server's own installation. */
export const secretKey = "cloud";
/** The Secret, as in the server's own installation. */
export const secretName = "cloud-credentials";

/** Reads flags and files. */
export async function readSettings(context: CliContext, flags: InstallFlags): Promise<InstallSettings> {
  const [storeFile, volumeFile] = await Promise.all([
    optionalFile(flags.location, "BackupStorageLocation"),
    optionalFile(flags.volumeLocation, "VolumeSnapshotLocation"),
  ]);
  checkNames(flags);
  const { cloud, provider } = readProvider(flags.provider ?? storeFile?.provider ?? volumeFile?.provider);
  const settings = {
    cloud,
    provider,
    namespace: flags.namespace,
    image: checkedImage(flags.image ?? imageOf(flags, cloud)),
    cliImage: checkedImage(flags.cliImage ?? `${withoutSlash(flags.registry)}/flotilla:${flags.tag}`),
    store: await readStore(context, flags, storeFile),
    volumes: flags.volumes ? readVolumes(cloud, flags, storeFile, volumeFile) : undefined,
    credentials: await readCredentials(context, flags, cloud),
    identity: flags.identity,
    expectsSecret: flags.secret && flags.identity === undefined,
    schedules: { verify: flags.verifySchedule, copy: flags.copySchedule },
    copyTo: await readCopyTarget(flags),
  };
  const { store, volumes, copyTo } = settings;
  checkSecrets([store.secret, store.caSecret, volumes?.secret, copyTo?.location.secret, copyTo?.location.caSecret]);
  checkKeys(cloud, "ObjectStore", settings.store.config);
  checkKeys(cloud, "VolumeSnapshotter", settings.volumes?.config ?? {});
  return settings;
}

/** What the cluster would refuse once everything else is applied. */
function checkNames({ namespace, verifySchedule, copySchedule }: InstallFlags): void {
  if (!/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace))
    throw new UsageError(`--namespace ${namespace}: give lower-case letters, digits and hyphens, at most 63`);
  const schedules = { "--verify-schedule": verifySchedule, "--copy-schedule": copySchedule };
  for (const [flag, schedule] of Object.entries(schedules)) {
    if (/^@(?:hourly|daily|midnight|weekly|monthly|yearly|annually)$/.test(schedule)) continue;
    if (/^[\d*,/a-z?-]+(?: +[\d*,/a-z?-]+){4}$/i.test(schedule)) continue;
    throw new UsageError(`${flag} ${schedule}: give the five fields of cron, such as "17 5 * * *", or @daily`);
  }
}

function checkSecrets(secrets: readonly (SecretKey | undefined)[]): void {
  const incomplete = secrets.find((secret) => secret?.key === "");
  if (incomplete !== undefined)
    throw new UsageError(`a location takes the Secret ${incomplete.name} and names no key in it: add the key`);
}

function readProvider(given: string | undefined): { readonly cloud: Cloud; readonly provider: string } {
  if (given === undefined) throw new UsageError("which cloud: give --provider aws, azure, gcp or restic");
  const cloud = cloudOf(given);
  if (cloud === undefined)
    throw new UsageError(`--provider ${given}: there is a plugin for aws, azure, gcp and restic only`);
  // The server takes a bare name for velero.io's.
  return { cloud, provider: cloud === "restic" && !given.includes("/") ? "flotilla.io/restic" : given };
}

async function readCredentials(
  context: CliContext,
  { credentialsFile, identity, secret }: InstallFlags,
  cloud: Cloud,
): Promise<InstallSettings["credentials"]> {
  if (credentialsFile === undefined) return undefined;
  if (!secret)
    throw new UsageError("--credentials-file and --no-secret exclude each other: the file is put into the Secret");
  // Azure's file also says where the cluster's disks are.
  if (identity !== undefined && cloud !== "azure")
    throw new UsageError("--credentials-file and --identity exclude each other: the pod has one identity");
  const path = resolve(context.workingDirectory, credentialsFile);
  return { path, text: await readText(path, "--credentials-file") };
}

/** An installation that the plugin would refuse is told of before it is printed. */
function checkKeys(
  cloud: Cloud,
  kind: "ObjectStore" | "VolumeSnapshotter",
  config: Readonly<Record<string, string>>,
): void {
  const known = keysOf(cloud, kind);
  if (Object.keys(known).length === 0) return;
  const unknown = Object.keys(config).filter((name) => known[name] === undefined || known[name].origin === "server");
  if (unknown.length === 0) return;
  const flag = kind === "ObjectStore" ? "--config" : "--volume-config";
  throw new UsageError(
    `the plugin has no key ${unknown.join(", ")} to be given as ${flag}; it has ${Object.keys(known)
      .filter((name) => known[name]?.origin !== "server")
      .toSorted()
      .join(", ")}`,
  );
}

function imageOf({ registry, tag }: InstallFlags, cloud: Cloud): string {
  return `${withoutSlash(registry)}/velero-plugin-for-${cloud}:${tag}`;
}

async function readCopyTarget(flags: InstallFlags): Promise<CopyTarget | undefined> {
  if (flags.copyTo === undefined) return undefined;
  const location = await readLocationFile(flags.copyTo, "BackupStorageLocation");
  const cloud = cloudOf(location.provider);
  if (cloud === undefined)
    throw new UsageError(`${flags.copyTo}: there is a plugin for aws, azure, gcp and restic only`);
  return { location, cloud, image: imageOf(flags, cloud) };
}

async function readStore(
  context: CliContext,
  flags: InstallFlags,
  file: LocationFile | undefined,
): Promise<WantedStore> {
  const { name = "default", bucket = "", prefix = "", config = {}, isReadOnly = false } = file ?? {};
  const { isDefault, frequencies = {}, secret, marks = {} } = file ?? {};
  return {
    name,
    bucket: wantedBucket(flags.bucket ?? bucket),
    prefix: flags.prefix ?? prefix,
    config: { ...config, ...parsePairs(flags.config, "--config") },
    ...(await readCaCert(context, flags, file)),
    isReadOnly,
    isDefault: isDefault ?? (name === "default" ? true : undefined),
    frequencies,
    secret,
    marks,
  };
}

/** No store has a bucket of such a name, and a shell would read it otherwise than it is meant. */
function wantedBucket(name: string): string {
  const bucket = checkedBucket(name.replaceAll(/^\/+|\/+$/g, ""));
  if (/^[\w.:-]+$/.test(bucket)) return bucket;
  throw new UsageError(`the bucket ${JSON.stringify(bucket)}: give a name of letters, digits, dots and hyphens`);
}

async function readCaCert(
  context: CliContext,
  { caCert }: InstallFlags,
  file: LocationFile | undefined,
): Promise<Pick<WantedStore, "caCert" | "caCertPath" | "caSecret">> {
  if (caCert === undefined) return { caCert: file?.caCert, caCertPath: undefined, caSecret: file?.caSecret };
  const caCertPath = resolve(context.workingDirectory, caCert);
  return { caCert: await readText(caCertPath, "--ca-cert"), caCertPath, caSecret: undefined };
}

/** Without a word on them, volumes are where the bucket is; what a location must say and nobody said is asked for. */
function readVolumes(
  cloud: Cloud,
  flags: InstallFlags,
  storeFile: LocationFile | undefined,
  file: LocationFile | undefined,
): WantedVolumes | undefined {
  const { name = "default", config: said, secret, marks = {} } = file ?? {};
  const given = { ...said, ...parsePairs(flags.volumeConfig, "--volume-config") };
  const isSaid = file !== undefined || flags.volumeConfig.length > 0;
  if (cloud === "restic" && !isSaid) return undefined;
  const region = { ...storeFile?.config, ...parsePairs(flags.config, "--config") }["region"];
  const config = cloud === "aws" && region !== undefined ? { region, ...given } : given;
  if (cloud === "aws" && (config["region"] ?? "") === "") {
    throw new UsageError(
      "the region of the volumes is missing: give --volume-config region=REGION, or --no-volumes to leave them out",
    );
  }
  return { name, config, secret, marks };
}

async function optionalFile(path: string | undefined, kind: LocationFile["kind"]): Promise<LocationFile | undefined> {
  return path === undefined ? undefined : await readLocationFile(path, kind);
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`${flag} ${path} cannot be read: ${String(error)}`, { cause: error });
  }
}
