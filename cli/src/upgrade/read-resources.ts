import { readFile } from "node:fs/promises";

import { parseAllDocuments } from "yaml";

import { UsageError } from "../cli-error.ts";
import { yamlFault } from "../yaml-fault.ts";

/** A BackupStorageLocation or VolumeSnapshotLocation of the cluster. */
export interface ClusterLocation {
  readonly kind: "BackupStorageLocation" | "VolumeSnapshotLocation";
  readonly name: string;
  readonly provider: string;
  readonly config: Readonly<Record<string, string>>;
  readonly hasCaCert: boolean;
}

/** A Deployment, as far as plugins are concerned. */
export interface ClusterDeployment {
  readonly name: string;
  readonly namespace: string;
  readonly initContainers: readonly { readonly name: string; readonly image: string }[];
  readonly images: readonly string[];
  readonly variables: readonly string[];
  /** Of the server's container, as it is written there. */
  readonly memoryLimit: string | undefined;
}

/** What of a cluster's resources matters here. */
export interface ClusterResources {
  readonly locations: readonly ClusterLocation[];
  readonly deployments: readonly ClusterDeployment[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads files as `kubectl get -o yaml` prints them: single resources, streams and lists. */
export async function readResources(paths: readonly string[]): Promise<ClusterResources> {
  const documents = (await Promise.all(paths.map(readDocuments))).flat();
  const locations = documents.flatMap(locationOf);
  const deployments = documents.flatMap((document) =>
    document["kind"] === "Deployment" ? [deploymentOf(document)] : [],
  );
  if (locations.length === 0 && deployments.length === 0) {
    throw new UsageError("the files hold no BackupStorageLocation, VolumeSnapshotLocation or Deployment");
  }
  return { locations, deployments };
}

async function readDocuments(path: string): Promise<readonly Fields[]> {
  try {
    return parseAllDocuments(await readFile(path, "utf8")).flatMap((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      return itemsOf(fields(document.toJS()));
    });
  } catch (error) {
    throw new UsageError(`${path} cannot be read as YAML: ${yamlFault(error)}`, { cause: error });
  }
}

function itemsOf(document: Fields): readonly Fields[] {
  const { items } = document;
  return Array.isArray(items) ? items.map(fields) : [document];
}

function locationOf(document: Fields): readonly ClusterLocation[] {
  const { kind } = document;
  if (kind !== "BackupStorageLocation" && kind !== "VolumeSnapshotLocation") return [];
  const spec = fields(document["spec"]);
  const storage = fields(spec["objectStorage"]);
  const config = Object.entries(fields(spec["config"])).map(([key, value]) => [key, text(value)] as const);
  return [
    {
      kind,
      name: nameOf(document),
      provider: text(spec["provider"]),
      config: Object.fromEntries(config),
      hasCaCert: storage["caCert"] !== undefined || storage["caCertRef"] !== undefined,
    },
  ];
}

function deploymentOf(document: Fields): ClusterDeployment {
  const pod = fields(fields(fields(document["spec"])["template"])["spec"]);
  const containers = list(pod["containers"]);
  const server = containers.find(({ name }) => name === "velero") ?? {};
  const { memory } = fields(fields(server["resources"])["limits"]);
  const { namespace } = fields(document["metadata"]);
  return {
    name: nameOf(document),
    namespace: typeof namespace === "string" ? namespace : "velero",
    initContainers: list(pod["initContainers"]).map(({ name, image }) => ({
      name: String(name),
      image: String(image),
    })),
    images: containers.map(({ image }) => text(image)),
    variables: containers.flatMap((container) => list(container["env"]).map(({ name }) => text(name))),
    memoryLimit: memory === undefined ? undefined : text(memory),
  };
}

function nameOf(document: Fields): string {
  return text(fields(document["metadata"])["name"]);
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

/** Values that YAML reads as something else are told by the server itself; here they only must not be lost. */
function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

function fields(value: unknown): Fields {
  // Anything but a mapping has none of the fields that are looked for.
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
