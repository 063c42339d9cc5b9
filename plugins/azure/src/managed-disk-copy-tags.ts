import { backupTag, copyFromTag, copyOfTag } from "@flotilla/sdk/volumes";
import type { Tags } from "@flotilla/sdk/volumes";
import { parseComputeId, printComputeId } from "./managed-disk-ids.ts";
import type { ComputeId } from "./managed-disk-ids.ts";
import { movedMarks } from "./managed-disk-marks.ts";
import { fittingTags, tagName } from "./managed-disk-tags.ts";
import type { FittedTags } from "./managed-disk-tags.ts";

/** What a copy's tags are made from. */
export interface CopyTagSources {
  readonly origin: ComputeId;
  readonly originRegion: string;
  readonly tags: Tags;
  /** The disk encryption set of the origin itself. */
  readonly ownEncryptionSet: string | undefined;
  /** Of the target's region: takes the place of the disk's own. */
  readonly encryptionSet: string | undefined;
}

const copyOf = tagName(copyOfTag);
const copyFrom = tagName(copyFromTag);
const backup = tagName(backupTag);
const maxValueLength = 256;

/** The tags of a copy: where it comes from, and all that its origin has. */
export function copyTags(sources: CopyTagSources): FittedTags {
  const { origin, originRegion, tags, ownEncryptionSet, encryptionSet } = sources;
  const own = { [copyOf]: writeOrigin(origin), [copyFrom]: originRegion };
  return fittingTags({ ...own, ...movedMarks(tags, ownEncryptionSet, encryptionSet) });
}

/** What a snapshot is a copy of; undefined for one that is no copy of ours. */
export function originOf(tags: Tags): ComputeId | undefined {
  const text = tags[copyOf];
  return text === undefined ? undefined : readOrigin(text);
}

/** The region of the origin of a copy; empty for a snapshot that is none. */
export function originRegionOf(tags: Tags): string {
  return tags[copyFrom] ?? "";
}

/** The backup that made a snapshot; empty where the snapshot does not say. */
export function backupOf(tags: Tags): string {
  return tags[backup] ?? "";
}

/** The whole id; where a tag has no room for it, its variable parts. */
function writeOrigin(origin: ComputeId): string {
  const id = printComputeId(origin);
  return id.length <= maxValueLength ? id : [origin.subscription, origin.resourceGroup, origin.name].join("/");
}

function readOrigin(text: string): ComputeId | undefined {
  const id = parseComputeId(text);
  if (id !== undefined) return id;
  const [subscription, resourceGroup, name, ...rest] = text.split("/");
  if (subscription === undefined || resourceGroup === undefined || name === undefined || rest.length > 0)
    return undefined;
  return parseComputeId(printComputeId({ type: "snapshots", subscription, resourceGroup, name }));
}
