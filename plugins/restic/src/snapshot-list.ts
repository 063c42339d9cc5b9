import { PluginError } from "@flotilla/sdk/plugin";

/** A snapshot, as `restic snapshots --json` lists it. */
export interface ListedSnapshot {
  readonly id: string;
  /** When its backup began. */
  readonly startedMs: number;
  readonly tags: readonly string[];
}

/** Reads the answer of `restic snapshots --json`. */
export function parseSnapshotList(output: string): readonly ListedSnapshot[] {
  let list: unknown;
  try {
    list = JSON.parse(output);
  } catch (error) {
    throw unreadable(error);
  }
  // An empty repository is listed as null by some versions.
  if (list === null) return [];
  if (!Array.isArray(list)) throw unreadable(undefined);
  return list.map(parseSnapshot);
}

function parseSnapshot(value: unknown): ListedSnapshot {
  // Every field is looked at below before it counts.
  const snapshot = value as { readonly id?: unknown; readonly time?: unknown; readonly tags?: unknown } | null;
  const { id, time, tags } = snapshot ?? {};
  const startedMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (typeof id !== "string" || Number.isNaN(startedMs)) throw unreadable(undefined);
  const texts = Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string") : [];
  return { id, startedMs, tags: texts };
}

function unreadable(cause: unknown): PluginError {
  return new PluginError("list the snapshots: restic's answer is not the list that its versions up to 0.18 give", {
    kind: "internal",
    cause,
  });
}
