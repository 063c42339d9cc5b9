import { isJsonObject } from "../plugin/index.ts";
import type { JsonObject, JsonValue, PersistentVolume } from "../plugin/index.ts";
import { labelOf, withField, withLabel } from "./persistent-volume.ts";

/** Where a volume is. */
export interface VolumePlace {
  /** As the CSI driver's nodes are labelled; several for a volume that is replicated. */
  readonly zones: readonly string[];
  readonly region: string;
}

const zoneKeys = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const regionKeys = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
// Between the zones of a replicated volume in one label, as Kubernetes' cloud providers write it.
const zoneSeparator = "__";

/**
 * The same PersistentVolume, saying that it is in another place: its labels of zone and region and its node affinity,
 * as far as it has them. `driverZoneKeys` are the CSI driver's own names of a zone (`topology.ebs.csi.aws.com/zone`).
 */
export function withPlace(
  volume: PersistentVolume,
  { zones, region }: VolumePlace,
  driverZoneKeys: readonly string[],
): PersistentVolume {
  const allZoneKeys = [...zoneKeys, ...driverZoneKeys];
  let placed = volume;
  for (const key of allZoneKeys)
    if (labelOf(placed, key) !== undefined) placed = withLabel(placed, key, zones.join(zoneSeparator));
  for (const key of regionKeys) if (labelOf(placed, key) !== undefined) placed = withLabel(placed, key, region);
  const terms = termsOf(placed);
  if (terms === undefined) return placed;
  // Terms are alternatives: a replicated volume that has one for each zone keeps it so, since the server takes one zone
  // of each for where the volume is.
  const hasOnePerZone =
    terms.length === zones.length && terms.every((term) => zonesInTerm(term, allZoneKeys).length === 1);
  const moved = terms.map((term, index) =>
    termInPlace(term, { zones: hasOnePerZone ? zones.slice(index, index + 1) : zones, region }, allZoneKeys),
  );
  // Otherwise terms of several zones have become the same.
  const distinct = moved.filter(
    (term, index) => moved.findIndex((other) => JSON.stringify(other) === JSON.stringify(term)) === index,
  );
  return withField(placed, ["spec", "nodeAffinity", "required", "nodeSelectorTerms"], distinct);
}

/** The zones that a PersistentVolume says it is in: by its node affinity, else by its labels. */
export function zonesOf(volume: PersistentVolume, driverZoneKeys: readonly string[]): readonly string[] {
  const keys = [...zoneKeys, ...driverZoneKeys];
  const required = (termsOf(volume) ?? []).flatMap((term) => zonesInTerm(term, keys));
  if (required.length > 0) return [...new Set(required)];
  const label = keys.map((key) => labelOf(volume, key)).find((zone) => zone !== undefined && zone !== "");
  return label === undefined ? [] : label.split(zoneSeparator);
}

function zonesInTerm(term: JsonValue, keys: readonly string[]): readonly string[] {
  return expressionsOf(term).flatMap((expression) => (isOf(expression, keys) ? textsIn(expression["values"]) : []));
}

function termInPlace(term: JsonValue, { zones, region }: VolumePlace, allZoneKeys: readonly string[]): JsonValue {
  if (!isJsonObject(term) || !Array.isArray(term["matchExpressions"])) return term;
  // The same narrowing as in expressionsOf: what is no object is kept as it is.
  const expressions = (term["matchExpressions"] as readonly JsonValue[]).map((expression) => {
    if (!isJsonObject(expression) || expression["operator"] !== "In") return expression;
    if (isOf(expression, allZoneKeys)) return { ...expression, values: zones };
    return isOf(expression, regionKeys) ? { ...expression, values: [region] } : expression;
  });
  return { ...term, matchExpressions: expressions };
}

function termsOf(volume: PersistentVolume): readonly JsonValue[] | undefined {
  const required = objectAt(objectAt(objectAt(volume, "spec"), "nodeAffinity"), "required");
  const terms = required?.["nodeSelectorTerms"];
  return Array.isArray(terms) ? terms : undefined;
}

function expressionsOf(term: JsonValue): readonly JsonObject[] {
  const expressions = isJsonObject(term) ? term["matchExpressions"] : undefined;
  return Array.isArray(expressions) ? expressions.filter((one) => isJsonObject(one)) : [];
}

function isOf(expression: JsonObject, keys: readonly string[]): boolean {
  return keys.some((key) => key === expression["key"]);
}

function textsIn(values: JsonValue | undefined): readonly string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
}

function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isJsonObject(value) ? value : undefined;
}
