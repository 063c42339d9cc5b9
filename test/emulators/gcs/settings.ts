import { invalid } from "./gcs-error.ts";
import type { ObjectSettings } from "./object-meta.ts";

type Json = Readonly<Record<string, unknown>>;

const texts = [
  "contentType",
  "contentEncoding",
  "contentDisposition",
  "contentLanguage",
  "cacheControl",
  "customTime",
] as const;
const flags = ["temporaryHold", "eventBasedHold"] as const;

/** The storage classes of objects. */
const storageClasses = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL"];

/** Reads the settings that a resource states. */
export function readSettings(resource: Json): ObjectSettings {
  return mergeSettings({}, resource);
}

/** Applies a patch: what is null goes, what is absent stays. */
export function mergeSettings(before: ObjectSettings, patch: Json): ObjectSettings {
  const merged: Record<string, unknown> = { ...before };
  for (const name of texts) merge(merged, name, patch[name], "string");
  for (const name of flags) merge(merged, name, patch[name], "boolean");
  if ("metadata" in patch) merged["metadata"] = mergeMetadata(before.metadata ?? {}, patch["metadata"]);
  if (merged["metadata"] === undefined) delete merged["metadata"];
  return merged;
}

/** Reads a storage class; undefined where none is named. */
export function readStorageClass(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && storageClasses.includes(value)) return value;
  throw invalid(`Invalid storage class: ${JSON.stringify(value)}`);
}

/** Refuses names that no object may have. */
export function checkObjectName(name: string): void {
  if (name === "") throw invalid("No object name");
  const isBad = name === "." || name === ".." || /[\r\n]/.test(name) || name.startsWith(".well-known/acme-challenge/");
  if (isBad) throw invalid(`Invalid object name: '${name}'`);
  if (Buffer.byteLength(name) > 1024)
    throw invalid("The maximum object length is 1024 characters, but got a name with more.");
}

function merge(merged: Record<string, unknown>, name: string, value: unknown, type: "string" | "boolean"): void {
  if (value === undefined) return;
  if (value === null || value === "") delete merged[name];
  else if (typeof value === type) merged[name] = value;
  else throw invalid(`Invalid value for: ${name}`);
}

function mergeMetadata(before: Readonly<Record<string, string>>, patch: unknown): Json | undefined {
  if (patch === null || patch === undefined) return undefined;
  if (typeof patch !== "object" || Array.isArray(patch)) throw invalid("Invalid value for: metadata");
  const merged = new Map<string, string>(Object.entries(before));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (typeof value === "string") merged.set(name, value);
    else throw invalid(`Invalid value for: metadata.${name}`);
  }
  return merged.size === 0 ? undefined : Object.fromEntries(merged);
}
