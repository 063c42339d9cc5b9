import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonValue, PersistentVolume } from "@flotilla/sdk/plugin";
import { labelOf, withField, withLabel } from "@flotilla/sdk/volumes";
import { regionOf } from "./persistent-disk-ids.ts";
import type { DiskLocation } from "./persistent-disk-ids.ts";

const zoneKeys: readonly string[] = [
  "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/zone",
  "topology.gke.io/zone",
];
const regionKeys: readonly string[] = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
const nodeSelectorTerms = ["spec", "nodeAffinity", "required", "nodeSelectorTerms"] as const;

/** The PersistentVolume with its labels and node affinity where its disk now is; pods are scheduled by them. */
export function movedTo(volume: PersistentVolume, location: DiskLocation): PersistentVolume {
  const zones = location.scope === "zones" ? [location.name] : location.replicaZones;
  const region = location.scope === "zones" ? regionOf(location.name) : location.name;
  let moved = volume;
  for (const [keys, value] of [
    [zoneKeys, zones.join("__")],
    [regionKeys, region],
  ] as const)
    for (const key of keys) if (labelOf(moved, key) !== undefined) moved = withLabel(moved, key, value);
  const terms = termsOf(volume);
  if (terms === undefined) return moved;
  return withField(
    moved,
    nodeSelectorTerms,
    terms.map((term) => movedTerm(term, zones, region)),
  );
}

function termsOf(volume: PersistentVolume): readonly JsonValue[] | undefined {
  let value: JsonValue | undefined = volume;
  for (const name of nodeSelectorTerms)
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isArray(value) ? value : undefined;
}

function movedTerm(term: JsonValue, zones: readonly string[], region: string): JsonValue {
  const expressions = isJsonObject(term) ? term["matchExpressions"] : undefined;
  if (!isJsonObject(term) || !isArray(expressions)) return term;
  const moved = expressions.map((expression) => movedExpression(expression, zones, region));
  return { ...term, matchExpressions: moved };
}

function movedExpression(expression: JsonValue, zones: readonly string[], region: string): JsonValue {
  if (!isJsonObject(expression)) return expression;
  const { key, values } = expression;
  if (typeof key !== "string" || !isArray(values)) return expression;
  if (zoneKeys.includes(key)) return { ...expression, values: [...zones] };
  return regionKeys.includes(key) ? { ...expression, values: [region] } : expression;
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
