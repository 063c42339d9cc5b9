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
  /** The Secret with the CA; it lives in the cluster and is out of reach here. */
  readonly caSecret: SecretKey | undefined;
  /** The Secret with the credentials, out of reach as well. */
  readonly secret: SecretKey | undefined;
  readonly isReadOnly: boolean;
  /** What the file says of being the default one, if it says anything. */
  readonly isDefault: boolean | undefined;
  /** How often the server looks at it, as the file has it. */
  readonly frequencies: Readonly<Record<string, string>>;
  /** Labels and annotations, where there are any. */
  readonly marks: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A key of a Secret in the server's namespace. */
export interface SecretKey {
  readonly name: string;
  /** Empty where the file lacks it, which the cluster would not take. */
  readonly key: string;
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
    caSecret: readSecretKey(storage["caCertRef"], path, "spec.objectStorage.caCertRef"),
    secret: readSecretKey(spec["credential"], path, "spec.credential"),
    isReadOnly: spec["accessMode"] === "ReadOnly",
    isDefault: typeof spec["default"] === "boolean" ? spec["default"] : undefined,
    frequencies: texts({
      backupSyncPeriod: spec["backupSyncPeriod"],
      validationFrequency: spec["validationFrequency"],
    }),
    marks: readMarks(section(section(resource)["metadata"])),
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

function readSecretKey(value: unknown, path: string, field: string): SecretKey | undefined {
  if (value === undefined || value === null) return undefined;
  const { name, key = "" } = section(value);
  if (typeof name === "string" && typeof key === "string") return { name, key };
  throw new UsageError(`${path}: ${field} needs a name and a key, both text`);
}

// Of kubectl's own making: it describes the file that was applied, not the location.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

function readMarks({ labels, annotations }: Readonly<Record<string, unknown>>): LocationFile["marks"] {
  const { [lastApplied]: _, ...others } = texts(section(annotations));
  const marks = { labels: texts(section(labels)), annotations: others };
  return Object.fromEntries(Object.entries(marks).filter(([, named]) => Object.keys(named).length > 0));
}

/** Those fields that are text. */
function texts(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : [])),
  );
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
