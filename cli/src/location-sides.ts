import { isDeepStrictEqual } from "node:util";

import { Option } from "commander";

import { UsageError } from "./cli-error.ts";
import { repeatable } from "./common-options.ts";
import { resolveObjectLocation, withoutCopies } from "./location.ts";
import type { LocationSide, ObjectLocation } from "./location.ts";
import type { OpenedStore, Session } from "./session.ts";

/** The flags that describe two BackupStorageLocations. */
export interface SidesFlags {
  readonly from: string;
  readonly to: string;
  readonly fromConfig: readonly string[];
  readonly toConfig: readonly string[];
  readonly credentialsFile?: string;
  readonly fromCredentialsFile?: string;
  readonly toCredentialsFile?: string;
  readonly caCert?: string;
  readonly fromCaCert?: string;
  readonly toCaCert?: string;
}

/** Two opened locations. */
export interface StorePair {
  readonly from: OpenedStore;
  /** What is stored here gets its copies. */
  readonly to: OpenedStore;
  /** The same place, to be judged: none of its copies answers for what it has lost or damaged. */
  readonly toItself: OpenedStore;
}

/** The flags of a command on two locations. */
export function sidesOptions(): readonly Option[] {
  return [
    new Option("--from <file>", "the BackupStorageLocation to read, in YAML").makeOptionMandatory(),
    new Option("--to <file>", "the other BackupStorageLocation, in YAML").makeOptionMandatory(),
    new Option("--credentials-file <file>", "the credentials for both, unless one has its own"),
    new Option("--from-credentials-file <file>", "the credentials for --from"),
    new Option("--to-credentials-file <file>", "the credentials for --to"),
    new Option("--ca-cert <file>", "a PEM file of CAs to trust beside the system's, for both"),
    new Option("--from-ca-cert <file>", "the same for --from"),
    new Option("--to-ca-cert <file>", "the same for --to"),
    repeatable("--from-config <key=value>", "a key of --from's spec.config"),
    repeatable("--to-config <key=value>", "a key of --to's spec.config"),
  ];
}

/** Opens both locations, each in a process of its own. */
export async function openPair(
  session: Session,
  flags: SidesFlags,
  { isWritten }: { readonly isWritten: boolean },
): Promise<StorePair> {
  const [from, to] = [await resolveSide(flags, "from"), await resolveSide(flags, "to")];
  if (isDeepStrictEqual(placeOf(from), placeOf(to))) {
    throw new UsageError(
      `--from and --to are the same place: bucket ${from.bucket}, prefix ${from.prefix || "(none)"}`,
    );
  }
  if (isWritten && to.isReadOnly) {
    throw new UsageError(
      `the location ${to.name} of --to is ReadOnly: set spec.accessMode to ReadWrite in ${flags.to}`,
    );
  }
  if (isWritten) refuseNested(from, to);
  const toItself = await session.openStoreApart(withoutCopies(to));
  if (!isWritten) return { from: await session.openStoreApart(withoutCopies(from)), to: toItself, toItself };
  const hasCopies = to.config["copyTo"] !== undefined;
  return {
    from: await session.openStoreApart(from),
    to: hasCopies ? await session.openStoreApart(to) : toItself,
    toItself,
  };
}

// What says where a location of these providers is, and by whose eyes; other keys say how it is read and written.
const placeKeys: ReadonlySet<string> = new Set([
  "bucket",
  "prefix",
  "credentialsFile",
  "region",
  "s3Url",
  "profile",
  "storageAccount",
  "storageAccountURI",
  "resourceGroup",
  "subscriptionId",
  "activeDirectoryAuthorityURI",
  "storeEndpoint",
  "repository",
]);
const knownProviders: ReadonlySet<string> = new Set([
  "velero.io/aws",
  "velero.io/azure",
  "velero.io/gcp",
  "flotilla.io/restic",
]);

/** Two locations of one place may differ in how they write, for example in encryption: a copy of one in the other is none. */
function placeOf({ provider, config }: ObjectLocation): Readonly<Record<string, string>> {
  const name = provider.includes("/") ? provider : `velero.io/${provider}`;
  const keys = Object.entries(config).filter(([key]) => !knownProviders.has(name) || placeKeys.has(key));
  return { ...Object.fromEntries(keys), provider: name };
}

/**
 * A server that finds a folder of others in its location calls all of it invalid, and backs up no more: copies within one
 * bucket lie beside the location, never in it or around it.
 */
function refuseNested(from: ObjectLocation, to: ObjectLocation): void {
  const [{ prefix: one, ...here }, { prefix: other, ...there }] = [placeOf(from), placeOf(to)];
  const [a, b] = [folderOf(one), folderOf(other)];
  if (!isDeepStrictEqual(here, there) || !(a.startsWith(b) || b.startsWith(a))) return;
  throw new UsageError(
    `--from and --to lie within each other in bucket ${from.bucket} (prefix ${from.prefix || "(none)"}, prefix ${to.prefix || "(none)"}): ` +
      "the server calls a location with other folders in it unavailable; give a prefix beside the other, or another bucket",
  );
}

function folderOf(prefix: string | undefined): string {
  return prefix === undefined || prefix === "" ? "" : `${prefix}/`;
}

/** A location in words: `backups/cluster-1 (velero.io/aws)`. */
export function printStore({ location, client }: OpenedStore): string {
  const { bucket, prefix } = location;
  return `${prefix === "" ? bucket : `${bucket}/${prefix}`} (${client.name})`;
}

async function resolveSide(flags: SidesFlags, side: LocationSide): Promise<ObjectLocation> {
  const own =
    side === "from"
      ? { config: flags.fromConfig, credentialsFile: flags.fromCredentialsFile, caCert: flags.fromCaCert }
      : { config: flags.toConfig, credentialsFile: flags.toCredentialsFile, caCert: flags.toCaCert };
  const credentialsFile = own.credentialsFile ?? flags.credentialsFile;
  const caCert = own.caCert ?? flags.caCert;
  return await resolveObjectLocation({
    location: flags[side],
    side,
    config: own.config,
    volumeConfig: [],
    ...(credentialsFile === undefined ? {} : { credentialsFile }),
    ...(caCert === undefined ? {} : { caCert }),
  });
}
