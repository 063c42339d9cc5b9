import { createHash } from "node:crypto";
import { ownDomain } from "@flotilla/sdk/plugin";
import { backupTag, copyFromTag, copyOfTag } from "@flotilla/sdk/volumes";
import type { Tags } from "@flotilla/sdk/volumes";
import { kmsKeyMark } from "./persistent-disk-marks.ts";
import { markPrefix, readTags, snapshotDescription } from "./persistent-disk-tags.ts";
import type { FittedDescription } from "./persistent-disk-tags.ts";

/** What a copy, or the disk on its way to one, says of where it comes from and where it belongs. */
export interface CopyMarks {
  /** The name of what it is a copy of. */
  readonly copyOf: string;
  readonly project: string;
  /** The location of the origin's bytes. */
  readonly from: string;
  /** The target. */
  readonly to: string;
}

// Names of snapshots tell no project, and several projects may keep their copies in one.
const copyFromProjectTag = `${ownDomain}/copy-from-project`;
// The disk on its way to a copy has no location of its own that would tell it.
const copyToTag = `${ownDomain}/copy-to`;
const copyTags: ReadonlySet<string> = new Set([copyOfTag, copyFromTag, copyFromProjectTag, copyToTag]);

const hashLength = 24;

/** A label of each disk on its way to a copy, for those who look at their disks. */
export const temporaryLabels: Readonly<Record<string, string>> = { "flotilla-temporary": "snapshot-copy" };

/** The names of all copies, as the service's filters take it. */
export const copyNames = `copy-[0-9a-f]{${hashLength}}`;

/** The name of a copy, and of the disk that it is made of: the same each time, so that nothing is made twice. */
export function copyName({ copyOf, project, to }: Omit<CopyMarks, "from">, targetProject: string): string {
  const text = JSON.stringify([project, copyOf, to, targetProject]);
  return `copy-${createHash("sha256").update(text).digest("hex").slice(0, hashLength)}`;
}

/** Reads the marks in a description; undefined for what is no copy. */
export function readCopyMarks(description: string | undefined): CopyMarks | undefined {
  const tags = readTags(description ?? "");
  const { [copyOfTag]: copyOf, [copyFromProjectTag]: project, [copyFromTag]: from = "", [copyToTag]: to } = tags;
  return copyOf === undefined || project === undefined || to === undefined ? undefined : { copyOf, project, from, to };
}

/** The backup that made a snapshot; empty where it does not say. */
export function backupOf(description: string | undefined): string {
  return readTags(description ?? "")[backupTag] ?? "";
}

/** The description of the disk on its way to a copy. */
export function temporaryDescription(marks: CopyMarks): string {
  return snapshotDescription({ server: {}, marks: tagsOf(marks), disk: "" }).description;
}

/** The description of a copy: that of its origin, with the marks, and with the key that disks there are encrypted by. */
export function copyDescription(origin: string, marks: CopyMarks, kmsKeyName: string | undefined): FittedDescription {
  const tags = Object.entries(readTags(origin)).filter(([name]) => !copyTags.has(name));
  const isMark = ([name]: readonly [string, string]): boolean => name.startsWith(markPrefix);
  const key = kmsKeyName === undefined ? {} : { [kmsKeyMark]: kmsKeyName };
  return snapshotDescription({
    server: Object.fromEntries(tags.filter((tag) => !isMark(tag))),
    marks: { ...Object.fromEntries(tags.filter(isMark)), ...key, ...tagsOf(marks) },
    disk: "",
  });
}

function tagsOf({ copyOf, project, from, to }: CopyMarks): Tags {
  return { [copyOfTag]: copyOf, [copyFromProjectTag]: project, [copyFromTag]: from, [copyToTag]: to };
}
