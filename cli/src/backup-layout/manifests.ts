import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

import type { JsonValue } from "@flotilla/sdk/plugin";
import { isJsonObject, parseJson } from "@flotilla/sdk/plugin";
import { parseAllDocuments } from "yaml";
import type { Tags } from "yaml";

import { UsageError } from "../cli-error.ts";
import { yamlFault } from "../yaml-fault.ts";
import { readResource, resourcePaths } from "./resource.ts";
import type { Resource } from "./resource.ts";

const extensions = new Set([".yaml", ".yml", ".json"]);
// Kubernetes reads YAML 1.1 (`0644` is octal, `yes` is true) but neither its dates nor its base-60 numbers nor binaries.
const unreadTags = new Set(["tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary"]);

/** All resources of a folder's YAML and JSON files, recursively, in name order. Anything that is no resource is an error. */
export async function readManifests(directory: string): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const path of await manifestFiles(directory)) resources.push(...(await readFileResources(path)));
  if (resources.length === 0) throw new UsageError(`${directory} holds no Kubernetes manifest (.yaml, .yml, .json)`);
  refuseTwins(resources);
  return resources;
}

async function manifestFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && extensions.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function readFileResources(path: string): Promise<readonly Resource[]> {
  const text = await readFile(path, "utf8");
  const documents = extname(path).toLowerCase() === ".json" ? [parseJsonFile(text, path)] : parseYaml(text, path);
  return documents.flatMap((document, index) =>
    unfoldLists(document).map((value) => {
      const resource = readResource(value);
      if (typeof resource !== "string") return resource;
      throw new UsageError(`${path}: document ${index + 1} ${resource}; only Kubernetes manifests can be backed up`);
    }),
  );
}

function parseJsonFile(text: string, path: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw new UsageError(`${path} cannot be read as JSON: ${String(error)}`, { cause: error });
  }
}

function parseYaml(text: string, path: string): readonly JsonValue[] {
  const documents = parseAllDocuments(text, {
    version: "1.1",
    intAsBigInt: true,
    customTags: (tags: Tags) => tags.filter((tag) => typeof tag === "string" || !isUnread(tag)),
  });
  return [...documents].flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined)
      throw new UsageError(`${path} cannot be read as YAML: ${yamlFault(fault)}`, { cause: fault });
    const value: unknown = document.toJS();
    // A file may begin or end with an empty document.
    return value === null || value === undefined ? [] : [withoutBigInts(value)];
  });
}

function isUnread(tag: { readonly tag: string; readonly format?: string }): boolean {
  return unreadTags.has(tag.tag) || tag.format === "TIME";
}

/** JSON has one kind of numbers; one too large for a double goes through as its text. */
function withoutBigInts(value: unknown): JsonValue {
  return parseJson(
    JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? parseJson(item.toString()) : item)),
  );
}

function unfoldLists(value: JsonValue): readonly JsonValue[] {
  if (!isJsonObject(value) || value["kind"] !== "List" || !Array.isArray(value["items"])) return [value];
  return value["items"];
}

function refuseTwins(resources: readonly Resource[]): void {
  const seen = new Set<string>();
  for (const resource of resources) {
    const [path = ""] = resourcePaths(resource);
    if (seen.has(path))
      throw new UsageError(`the ${resource.kind} ${resource.name} is there twice: keep one of the two`);
    seen.add(path);
  }
}
