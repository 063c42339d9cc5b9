import { readFile } from "node:fs/promises";

import { parseAllDocuments } from "yaml";

import { UsageError } from "./cli-error.ts";
import { yamlFault } from "./yaml-fault.ts";

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

/**
 * Reads the one resource of this kind in a YAML file, or in a list as `kubectl get -o yaml` prints it; what is wrong with
 * the file is said with its path. Of several none is chosen: it might be the wrong one that is written to or deleted from.
 */
export async function readLocationFile(path: string, kind: LocationFile["kind"]): Promise<LocationFile> {
  const found = (await readDocuments(path)).filter((document) => section(document)["kind"] === kind);
  const [resource] = found;
  if (resource === undefined) throw new UsageError(`${path} holds no ${kind}`);
  if (found.length > 1) throw severalFound(path, kind, found);
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
    return [...documents].flatMap((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      return unfolded(document.toJS());
    });
  } catch (error) {
    throw new UsageError(`${path} cannot be read as YAML: ${yamlFault(error)}`, { cause: error });
  }
}

/** The items of a list; anything else as it is. */
function unfolded(document: unknown): readonly unknown[] {
  const { items, kind } = section(document);
  return typeof kind === "string" && kind.endsWith("List") && Array.isArray(items) ? items : [document];
}

function severalFound(path: string, kind: string, found: readonly unknown[]): UsageError {
  const names = found.map((resource) => {
    const { name } = section(section(resource)["metadata"]);
    return typeof name === "string" ? name : "(no name)";
  });
  return new UsageError(`${path} holds ${found.length} ${kind}s (${names.join(", ")}): keep the one that is meant`);
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
