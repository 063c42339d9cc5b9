import { ownDomain } from "@flotilla/sdk/plugin";
import type { Tags } from "@flotilla/sdk/volumes";

/** Where the description of a new snapshot comes from; where two name the same, the one named first here wins. */
export interface DescriptionSources {
  /** The server's: the backup's labels, `velero.io/backup` and `velero.io/pv`. */
  readonly server: Tags;
  /** Ours. */
  readonly marks: Tags;
  /** The disk's description: JSON, where Kubernetes or a restore made the disk. */
  readonly disk: string;
}

/** A description for a request, and the names of the tags that found no room. */
export interface FittedDescription {
  readonly description: string;
  readonly dropped: readonly string[];
}

/** What the name of each of our marks begins with. */
export const markPrefix = `${ownDomain}/`;

// https://cloud.google.com/compute/docs/reference/rest/v1/snapshots tells no limit; the service refuses more than this.
const maxDescriptionBytes = 2048;

/**
 * The description of a new snapshot, in the official plugin's form: the tags as a JSON object with sorted names. No
 * backup fails for a tag that has no room; the names by which a snapshot is found again come first.
 */
export function snapshotDescription({ server, marks, disk }: DescriptionSources): FittedDescription {
  const inherited = Object.entries(readTags(disk)).filter(([name]) => !isMark(name));
  const merged = new Map([...inherited, ...Object.entries(server), ...Object.entries(marks)]);
  const rankOf = (name: string): number =>
    isIdentity(name) ? 0 : isMark(name) ? 1 : Object.hasOwn(server, name) ? 2 : 3;
  const candidates = [...merged].toSorted(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  const dropped: string[] = [];
  let kept: Tags = {};
  for (const [name, value] of candidates) {
    const next = { ...kept, [name]: value };
    if (Buffer.byteLength(print(next)) <= maxDescriptionBytes) kept = next;
    else dropped.push(name);
  }
  return { description: print(kept), dropped };
}

/** The description of a restored disk: the snapshot's without our marks, as it is where it has none. */
export function diskDescription(snapshot: string): string {
  const tags = readTags(snapshot);
  const others = Object.entries(tags).filter(([name]) => !isMark(name));
  return others.length === Object.keys(tags).length ? snapshot : print(Object.fromEntries(others));
}

/** The tags in a description; none in one that somebody wrote for people. */
export function readTags(description: string): Tags {
  const entries = Object.entries(parsed(description));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function parsed(description: string): object {
  try {
    const value: unknown = JSON.parse(description);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    // Anybody may describe a disk in words of their own.
    return {};
  }
}

function print(tags: Tags): string {
  const entries = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "" : JSON.stringify(Object.fromEntries(entries));
}

function isMark(name: string): boolean {
  return name.startsWith(markPrefix);
}

function isIdentity(name: string): boolean {
  return name === "velero.io/backup" || name === "velero.io/pv";
}
