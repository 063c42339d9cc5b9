import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonValue, PersistentVolume } from "@flotilla/sdk/plugin";

const zoneLabels = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const zoneTopologyKeys = [
  ...zoneLabels,
  "topology.ebs.csi.aws.com/zone",
  "topology.disk.csi.azure.com/zone",
  "topology.gke.io/zone",
];

/** The availability zone of a PersistentVolume as the server finds it: by label, else by node affinity, else "". */
export function zoneOf(volume: PersistentVolume): string {
  const labels = at(volume, "metadata", "labels");
  for (const label of zoneLabels) {
    const zone = at(labels, label);
    if (typeof zone === "string" && zone !== "") return zone;
  }
  const terms = listAt(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms");
  const expressions = terms.flatMap((term) => listAt(term, "matchExpressions"));
  const zones = expressions
    .filter((expression) => zoneTopologyKeys.some((key) => key === at(expression, "key")))
    .flatMap((expression) => listAt(expression, "values"));
  return zones.find((zone) => typeof zone === "string") ?? "";
}

/** The claim that a PersistentVolume is bound to. */
export function claimOf(volume: PersistentVolume): { readonly name: string; readonly namespace: string } | undefined {
  const name = at(volume, "spec", "claimRef", "name");
  const namespace = at(volume, "spec", "claimRef", "namespace");
  return typeof name === "string" && typeof namespace === "string" ? { name, namespace } : undefined;
}

/** The labels of a PersistentVolume. */
export function labelsOf(volume: PersistentVolume): JsonValue {
  return at(volume, "metadata", "labels") ?? {};
}

/** What becomes of the volume when its claim is deleted. */
export function reclaimPolicyOf(volume: PersistentVolume): JsonValue {
  return at(volume, "spec", "persistentVolumeReclaimPolicy") ?? "";
}

/** A field of nested objects; undefined where one of them is absent. */
export function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((found, name) => (isJsonObject(found) ? found[name] : undefined), value);
}

function listAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
