import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonValue, PersistentVolume } from "@flotilla/sdk/plugin";

const zoneLabels = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const zoneTopologyKeys = [
  ...zoneLabels,
  "topology.ebs.csi.aws.com/zone",
  "topology.disk.csi.azure.com/zone",
  "topology.gke.io/zone",
];

const gibibytes: Readonly<Record<string, number>> = { Mi: 1 / 1024, Gi: 1, Ti: 1024 };

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

/** The capacity in GiB, rounded up to what clouds sell; 1 where it is not written in Mi, Gi or Ti. */
export function sizeGiBOf(volume: PersistentVolume): number {
  const capacity = at(volume, "spec", "capacity", "storage");
  const match = typeof capacity === "string" ? /^(\d+)(Mi|Gi|Ti)$/.exec(capacity) : null;
  return match === null ? 1 : Math.ceil(Number(match[1]) * (gibibytes[match[2] ?? ""] ?? 1));
}

/** A field of nested objects; undefined where one of them is absent. */
export function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((found, name) => (isJsonObject(found) ? found[name] : undefined), value);
}

function listAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
