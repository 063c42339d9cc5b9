import { cloudOf, keysOf } from "../plugin-facts/plugin-facts.ts";
import type { Cloud } from "../plugin-facts/plugin-facts.ts";
import { effectOfLeaving, officialNeeds, officialRefusal } from "./key-effects.ts";
import type { Direction, Step } from "./plan.ts";
import type { ClusterLocation } from "./read-resources.ts";

/** What a location's keys mean for the change. */
export function planLocation(location: ClusterLocation, to: Direction): readonly Step[] {
  const resource = `${location.kind} ${location.name}`;
  const cloud = cloudOf(location.provider);
  if (cloud === undefined) {
    const why = "its plugin is none of these";
    return [{ action: "stays", resource, what: `provider ${location.provider}`, why }];
  }
  const keys = Object.entries(location.config).map(([key, value]) => ({ key, value }));
  const steps = keys.map((entry) => planKey(location, cloud, to, entry));
  return [...planProvider(location, cloud, to), ...steps, ...planGaps(location, cloud, to)].map((step) => ({
    ...step,
    resource,
  }));
}

type LocationStep = Omit<Step, "resource">;

function planProvider({ provider }: ClusterLocation, cloud: Cloud, to: Direction): readonly LocationStep[] {
  if (to === "official" && cloud === "restic")
    return [
      {
        action: "lost",
        what: `provider ${provider}`,
        why: "no official plugin reads it: keep this project's image, or copy the backups to another location",
      },
    ];
  if (!provider.startsWith("flotilla.io/") || cloud === "restic") return [];
  return [{ action: "change", what: `provider ${provider} becomes ${cloud}`, why: "the other name was for a trial" }];
}

function planKey(
  location: ClusterLocation,
  cloud: Cloud,
  to: Direction,
  { key, value }: { readonly key: string; readonly value: string },
): LocationStep {
  const facts = keysOf(cloud, location.kind === "BackupStorageLocation" ? "ObjectStore" : "VolumeSnapshotter")[key];
  if (facts === undefined) {
    const why = to === "flotilla" ? "the plugin refuses keys that it does not know" : "neither plugin knows it";
    return { action: "first", what: `remove the key ${key}`, why };
  }
  if (to === "flotilla") {
    const what = `key ${key}`;
    if (facts.ignored !== undefined) return { action: "advice", what, why: `it has no effect: ${facts.ignored}` };
    const why =
      facts.origin === "ours" ? "only this project's plugin knows it" : "both plugins know it, with the same meaning";
    return { action: "stays", what, why };
  }
  const refusal = officialRefusal(cloud, key, value);
  if (refusal !== undefined) return { action: "first", what: `change the key ${key}`, why: refusal };
  if (facts.origin !== "ours") return { action: "stays", what: `key ${key}`, why: "both plugins know it" };
  const { effect, isLoss } = effectOfLeaving(key);
  return { action: isLoss === true ? "lost" : "first", what: `remove the key ${key}`, why: effect };
}

function planGaps(location: ClusterLocation, cloud: Cloud, to: Direction): readonly LocationStep[] {
  if (to === "flotilla") return [];
  const missing = officialNeeds(cloud, location.kind, location.config).filter(
    (key) => (location.config[key] ?? "") === "",
  );
  return [
    ...missing.map(
      (key) => ({ action: "first", what: `add the key ${key}`, why: "the official plugin demands it" }) as const,
    ),
    ...(cloud === "gcp" && location.hasCaCert
      ? [{ action: "lost", what: "caCert", why: "the official plugin does not look at it" } as const]
      : []),
  ];
}
