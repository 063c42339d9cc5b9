import { PluginError } from "@flotilla/sdk/plugin";

/** A snapshot, as `restic snapshots --json` lists it. */
export interface ListedSnapshot {
  readonly id: string;
  /** When its backup began. */
  readonly startedMs: number;
  readonly tags: readonly string[];
  /** The bytes of its files; undefined where a restic before 0.17 lists it. */
  readonly sizeBytes: number | undefined;
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
  const snapshot = value as {
    readonly id?: unknown;
    readonly time?: unknown;
    readonly tags?: unknown;
    readonly summary?: { readonly total_bytes_processed?: unknown };
  } | null;
  const { id, time, tags, summary } = snapshot ?? {};
  const bytes = summary?.total_bytes_processed;
  const startedMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (typeof id !== "string" || Number.isNaN(startedMs)) throw unreadable(undefined);
  const texts = Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string") : [];
  return { id, startedMs, tags: texts, sizeBytes: typeof bytes === "number" ? bytes : undefined };
}

function unreadable(cause: unknown): PluginError {
  return new PluginError("list the snapshots: restic's answer is not the list that its versions up to 0.18 give", {
    kind: "internal",
    cause,
  });
}
