import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

import { resourceName } from "./resource-name.ts";
import type { ResourceName } from "./resource-name.ts";

/** A Kubernetes resource with where it belongs in a backup. */
export interface Resource {
  readonly object: JsonObject;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for a cluster-scoped resource. */
  readonly namespace: string | undefined;
  readonly type: ResourceName;
}

const defaultNamespace = "default";

/** Reads a resource; the fault of one that is none is returned as text. */
export function readResource(value: JsonValue): Resource | string {
  if (!isJsonObject(value)) return "is not a mapping";
  const apiVersion = text(value["apiVersion"]);
  const kind = text(value["kind"]);
  const metadata = isJsonObject(value["metadata"]) ? value["metadata"] : {};
  const name = text(metadata["name"]);
  if (apiVersion === "") return "has no apiVersion";
  if (kind === "") return "has no kind";
  if (name === "") return `is a ${kind} without metadata.name`;
  const type = resourceName(apiVersion, kind);
  const namespace = type.isClusterScoped ? undefined : text(metadata["namespace"]) || defaultNamespace;
  const bad = [name, namespace ?? ""].find((part) => !isPathSegment(part));
  if (bad !== undefined) return `has the name ${JSON.stringify(bad)}, which no resource can have`;
  return { object: value, apiVersion, kind, name, namespace, type };
}

/** The paths of a resource in a backup's tarball: the one that all servers read, and the one of its API version. */
export function resourcePaths(resource: Resource): readonly string[] {
  const { type, namespace, name } = resource;
  const place = namespace === undefined ? `cluster/${name}.json` : `namespaces/${namespace}/${name}.json`;
  return [`resources/${type.plural}/${place}`, `resources/${type.plural}/${type.version}-preferredversion/${place}`];
}

/** The same JSON with the keys of every object in order, as the server writes it. */
export function withSortedKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => withSortedKeys(item));
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, withSortedKeys(value[name] ?? null)]));
}

function isPathSegment(text: string): boolean {
  return text !== "." && text !== ".." && !/[/\\\0]/.test(text);
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
