import { ownDomain } from "@flotilla/sdk/plugin";
import { copyFromTag, copyOfTag } from "@flotilla/sdk/volumes";

import { relativeFolder } from "./volume-relative-folder.ts";

/** What a snapshot of a volume says of itself, in tags of restic. */
export interface VolumeTags {
  /** As the server records it. Kept in a tag, so that it outlives copies into another repository. */
  readonly snapshotId: string;
  /** The volume's folder below the root. */
  readonly folder: string;
  /** Whether that folder was the top of a file system of its own. */
  readonly isMountPoint: boolean;
  /** What the server gave. */
  readonly tags: Readonly<Record<string, string>>;
}

const own = `${ownDomain}/volume`;
const names = {
  id: `${own}-snapshot`,
  folder: `${own}-folder`,
  mount: `${own}-is-mount-point`,
  complete: `${own}-complete`,
  bytes: `${own}-bytes`,
  deleted: `${own}-deleted`,
  copying: `${own}-copying`,
} as const;

/** The tags of a snapshot of a volume. */
export function printVolumeTags({ snapshotId, folder, isMountPoint, tags }: VolumeTags): readonly string[] {
  const given = Object.entries(tags).filter(([name]) => !name.startsWith(own));
  return [
    tag(names.id, snapshotId),
    tag(names.folder, folder),
    ...(isMountPoint ? [tag(names.mount, "true")] : []),
    ...given.map(([name, value]) => tag(name, value)),
  ];
}

/** Reads these tags; undefined for a snapshot that is none of a volume. */
export function readVolumeTags(tags: readonly string[]): VolumeTags | undefined {
  const read = readTags(tags);
  const [snapshotId, folder] = [read.get(names.id), read.get(names.folder)];
  if (snapshotId === undefined || folder === undefined || !isFolder(folder)) return undefined;
  const given = [...read].filter(([name]) => !name.startsWith(own));
  return { snapshotId, folder, isMountPoint: read.has(names.mount), tags: Object.fromEntries(given) };
}

/** Who may write into the repository may write any tag. */
function isFolder(text: string): boolean {
  try {
    return relativeFolder(text) === text;
  } catch {
    return false;
  }
}

/** What the mark of a complete snapshot says. */
export interface CompletionTags {
  readonly snapshotId: string;
  /** Of all files of the volume. */
  readonly bytes: bigint;
}

/** The tags of the mark that makes a snapshot of a volume count. */
export function printCompletionTags({ snapshotId, bytes }: CompletionTags): readonly string[] {
  return [tag(names.complete, snapshotId), tag(names.bytes, String(bytes))];
}

/** Reads these tags; undefined for a snapshot that is no such mark. */
export function readCompletionTags(tags: readonly string[]): CompletionTags | undefined {
  const read = readTags(tags);
  const snapshotId = read.get(names.complete);
  const bytes = read.get(names.bytes) ?? "";
  return snapshotId === undefined ? undefined : { snapshotId, bytes: /^\d+$/.test(bytes) ? BigInt(bytes) : 0n };
}

/** The tags of the mark that makes a snapshot count no more, until it can be forgotten. */
export function printDeletionTags(snapshotId: string): readonly string[] {
  return [tag(names.deleted, snapshotId)];
}

/** The id of the snapshot that such a mark speaks of; undefined for a snapshot that is none. */
export function readDeletionTags(tags: readonly string[]): string | undefined {
  return readTags(tags).get(names.deleted);
}

/** What a copy says of the repository that it is from. */
export interface CopyTags {
  readonly snapshotId: string;
  /** That repository's own id, which stays whatever its address becomes. */
  readonly fromId: string;
}

/** The tags of the mark that a copy begins with, so that what is copied so far is nobody's remnant. */
export function printCopyingTags({ snapshotId, fromId }: CopyTags): readonly string[] {
  return [tag(names.copying, snapshotId), tag(copyFromTag, fromId)];
}

/** Reads these tags; undefined for a snapshot that is no such mark. */
export function readCopyingTags(tags: readonly string[]): CopyTags | undefined {
  const read = readTags(tags);
  const snapshotId = read.get(names.copying);
  return snapshotId === undefined ? undefined : { snapshotId, fromId: read.get(copyFromTag) ?? "" };
}

/** The tags of the mark that makes a copy count. */
export function printCopiedTags({ snapshotId, fromId, bytes }: CopyTags & CompletionTags): readonly string[] {
  return [...printCompletionTags({ snapshotId, bytes }), tag(copyOfTag, snapshotId), tag(copyFromTag, fromId)];
}

/** Where the snapshot comes from that a mark of either kind speaks of; undefined where it was made here. */
export function readCopyFrom(tags: readonly string[]): string | undefined {
  return readTags(tags).get(copyFromTag);
}

/** Every `name=value` among the tags. */
function readTags(tags: readonly string[]): ReadonlyMap<string, string> {
  const pairs = tags.flatMap((text) => {
    const cut = text.indexOf("=");
    return cut < 0 ? [] : [[decode(text.slice(0, cut)), decode(text.slice(cut + 1))] as const];
  });
  return new Map(pairs);
}

function tag(name: string, value: string): string {
  return `${encode(name)}=${encode(value)}`;
}

/** restic parts tags at commas and trims white space; a name ends at the first "=". Anything else stays readable. */
function encode(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[%,=\s\u0000-\u001F\u007F]/g, (letter) => encodeURIComponent(letter));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Written by somebody else: as it stands.
    return text;
  }
}
