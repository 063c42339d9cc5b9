import { ownDomain } from "@flotilla/sdk/plugin";
import { inheritTags } from "@flotilla/sdk/volumes";
import type { Tags } from "@flotilla/sdk/volumes";

/** Where the tags of a new snapshot come from; where two name the same, the one named first here wins. */
export interface SnapshotTagSources {
  /** The location's key `tags`. */
  readonly location: Tags;
  /** The server's: the backup's labels, `velero.io/backup` and `velero.io/pv`. */
  readonly server: Tags;
  /** Ours, in names that nothing else has. */
  readonly marks: Tags;
  readonly disk: Tags;
}

/** Tags for a request, and the names of those that Azure would refuse or has no room for. */
export interface FittedTags {
  readonly tags: Tags;
  readonly dropped: readonly string[];
}

/** What the name of each of our marks begins with: Azure allows no slash. */
export const markPrefix = `${ownDomain}-`;

// https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
const maxTags = 50;
const maxNameLength = 512;
const maxValueLength = 256;
const forbiddenCharacters = /[<>%&\\?/]/g;
const reservedPrefixes = ["microsoft", "azure", "windows"];

/** The tags of a new snapshot. What Azure would refuse is left out: no backup fails for a tag. */
export function snapshotTags({ location, server, marks, disk }: SnapshotTagSources): FittedTags {
  // In the order in which they get the room; the names by which a snapshot is found again come first.
  const own = new Map<string, readonly [name: string, value: string]>();
  for (const [name, value] of Object.entries(server).filter(([name]) => isIdentity(name))) put(own, name, value);
  for (const [name, value] of Object.entries(marks)) put(own, name, value);
  for (const [name, value] of Object.entries(location)) put(own, name, value);
  for (const [name, value] of Object.entries(server)) if (!own.has(keyOf(tagName(name)))) put(own, name, value);
  const fitting = [...own.values()].filter(([name, value]) => fits(name, value));
  const kept = Object.fromEntries(fitting.slice(0, maxTags));
  const inherited = inheritTags({
    own: kept,
    inherited: disk,
    isReserved: (name) => isReserved(name) || name.startsWith(markPrefix) || own.has(keyOf(name)),
    maxTags,
  });
  const left = [...own.values()].map(([name]) => name).filter((name) => !Object.hasOwn(kept, name));
  return { tags: inherited.tags, dropped: [...left, ...inherited.dropped] };
}

/** The tags of a restored disk: the snapshot's without our marks. */
export function diskTags(snapshot: Tags): Tags {
  const isLeftOut = (name: string): boolean => isReserved(name) || name.startsWith(markPrefix);
  return inheritTags({ own: {}, inherited: snapshot, isReserved: isLeftOut, maxTags }).tags;
}

/** As many of the tags as Azure takes, the first of them. */
export function fittingTags(tags: Tags): FittedTags {
  const all = Object.entries(tags);
  const kept = all.filter(([name, value]) => fits(name, value)).slice(0, maxTags);
  const names = new Set(kept.map(([name]) => name));
  const dropped = all.map(([name]) => name).filter((name) => !names.has(name));
  return { tags: Object.fromEntries(kept), dropped };
}

/** From the SDK's form. */
export function readTags(tags: Readonly<Record<string, string | null>> | undefined): Tags {
  return Object.fromEntries(Object.entries(tags ?? {}).map(([name, value]) => [name, value ?? ""]));
}

/** Sets a tag; the value of a name that is there already, in whatever case, is replaced where it stands. */
function put(tags: Map<string, readonly [name: string, value: string]>, name: string, value: string): void {
  const written = tagName(name);
  tags.set(keyOf(written), [written, value]);
}

/** As the official plugin writes the names of labels; no backup fails for a character. */
export function tagName(name: string): string {
  return name.replaceAll(forbiddenCharacters, "-");
}

/** Azure does not tell the cases of a tag's name apart. */
function keyOf(name: string): string {
  return name.toLowerCase();
}

function isIdentity(name: string): boolean {
  return name === "velero.io/backup" || name === "velero.io/pv";
}

function fits(name: string, value: string): boolean {
  return name !== "" && name.length <= maxNameLength && value.length <= maxValueLength && !isReserved(name);
}

function isReserved(name: string): boolean {
  return reservedPrefixes.some((prefix) => keyOf(name).startsWith(prefix));
}
