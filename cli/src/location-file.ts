import { readFile } from "node:fs/promises";

import { parseAllDocuments } from "yaml";

import { UsageError } from "./cli-error.ts";

/** What of a BackupStorageLocation or VolumeSnapshotLocation matters here. */
export interface LocationFile {
  readonly path: string;
  readonly kind: "BackupStorageLocation" | "VolumeSnapshotLocation";
  readonly name: string;
  readonly provider: string;
  readonly config: Readonly<Record<string, string>>;
  readonly bucket: string | undefined;
  readonly prefix: string | undefined;
  /** PEM. */
  readonly caCert: string | undefined;
  /** Whether the CA is in a secret, which is out of reach here. */
  readonly hasCaCertRef: boolean;
  /** Which secret and key, in words; the secret lives in the cluster and is out of reach here. */
  readonly credential: string | undefined;
  readonly isReadOnly: boolean;
}

/** Reads the first resource of this kind in a YAML file; what is wrong with the file is said with its path. */
export async function readLocationFile(path: string, kind: LocationFile["kind"]): Promise<LocationFile> {
  const resource = (await readDocuments(path)).find((document) => section(document)["kind"] === kind);
  if (resource === undefined) throw new UsageError(`${path} holds no ${kind}`);
  const spec = section(section(resource)["spec"]);
  const provider = spec["provider"];
  if (typeof provider !== "string" || provider === "") throw new UsageError(`${path}: spec.provider is missing`);
  const storage = section(spec["objectStorage"]);
  return {
    path,
    kind,
    name: optionalText(section(section(resource)["metadata"])["name"], path, "metadata.name") ?? "default",
    provider,
    config: readConfig(section(spec["config"]), path),
    bucket: optionalText(storage["bucket"], path, "spec.objectStorage.bucket"),
    prefix: optionalText(storage["prefix"], path, "spec.objectStorage.prefix"),
    caCert: decodeCaCert(optionalText(storage["caCert"], path, "spec.objectStorage.caCert")),
    hasCaCertRef: storage["caCertRef"] !== undefined,
    credential: readCredential(section(spec["credential"])),
    isReadOnly: spec["accessMode"] === "ReadOnly",
  };
}

async function readDocuments(path: string): Promise<readonly unknown[]> {
  try {
    const documents = parseAllDocuments(await readFile(path, "utf8"));
    return [...documents].map((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      return document.toJS() as unknown;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} cannot be read as YAML: ${reason}`, { cause: error });
  }
}

function readConfig(config: Readonly<Record<string, unknown>>, path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (typeof value === "string") return [key, value] as const;
      throw new UsageError(`${path}: spec.config.${key} must be text, as the cluster demands: put the value in quotes`);
    }),
  );
}

function readCredential(credential: Readonly<Record<string, unknown>>): string | undefined {
  const { name, key } = credential;
  return name === undefined ? undefined : `${JSON.stringify(name)} (key ${JSON.stringify(key)})`;
}

/** The cluster keeps the field as base64; plain PEM is a slip that can be read all the same. */
function decodeCaCert(text: string | undefined): string | undefined {
  if (text === undefined || text.startsWith("-----BEGIN")) return text;
  return Buffer.from(text, "base64").toString("utf8");
}

function optionalText(value: unknown, path: string, field: string): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  throw new UsageError(`${path}: ${field} must be text: put the value in quotes`);
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  // Anything but a mapping has none of the fields that are looked for.
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
