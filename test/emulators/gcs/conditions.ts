import { conditionNotMet, GcsError, invalid } from "./gcs-error.ts";
import type { ObjectMeta } from "./object-meta.ts";

/** Conditions by their names in the query of the JSON API. */
export type Conditions = ReadonlyMap<string, string>;

const names = ["GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch"] as const;

/** Refuses a request whose conditions on an object do not hold; `prefix` is `ifSource` for the source of a copy. */
export function checkConditions(
  conditions: Conditions,
  found: ObjectMeta | undefined,
  kind: "read" | "write",
  prefix: "if" | "ifSource" = "if",
): void {
  const generation = found?.versionId ?? "0";
  const metageneration = found === undefined ? undefined : String(found.metageneration);
  for (const name of names) {
    const wanted = conditions.get(`${prefix}${name}`);
    if (wanted === undefined) continue;
    if (!/^\d+$/.test(wanted)) throw invalid(`Invalid value for ${prefix}${name}: ${wanted}`);
    const actual = name.startsWith("Meta") ? metageneration : generation;
    const isNot = name.endsWith("NotMatch");
    if ((actual === wanted) !== isNot) continue;
    // What a reader already has is not sent again; a writer must hear that it was not done.
    if (isNot && kind === "read") throw new GcsError(304, "notModified", "Not Modified");
    throw conditionNotMet();
  }
}

/** Returns the conditions that headers of the XML API state, by their names in the JSON API. */
export function xmlConditions(headers: ReadonlyMap<string, string>): Conditions {
  const pairs = [
    ["x-goog-if-generation-match", "ifGenerationMatch"],
    ["x-goog-if-metageneration-match", "ifMetagenerationMatch"],
  ] as const;
  const found = new Map<string, string>();
  for (const [header, name] of pairs) {
    const value = headers.get(header);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
