import type { Encryption, Snapshot } from "@azure/arm-compute";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, VolumeFromSnapshot } from "@flotilla/sdk/plugin";
import { restorePlace } from "@flotilla/sdk/volumes";
import type { VolumePlace } from "@flotilla/sdk/volumes";
import { originRegionOf } from "./managed-disk-copy-tags.ts";
import { readMarks } from "./managed-disk-marks.ts";
import type { DiskMarks } from "./managed-disk-marks.ts";
import { readTags } from "./managed-disk-tags.ts";
import { offeredType } from "./managed-disk-types.ts";
import type { RegionDiskTypes } from "./managed-disk-types.ts";

/** What a location says about volumes of other regions. */
export interface RestoreRules {
  /** The cluster's; undefined where the location does not say. */
  readonly region: string | undefined;
  readonly zoneMap: ReadonlyMap<string, string>;
  readonly defaultZone: string | undefined;
  /** The id of the set that takes the place of another region's. */
  readonly diskEncryptionSet: string | undefined;
  readonly types: RegionDiskTypes;
}

/** What becomes of a volume, as far as its region has a say. */
export interface RestoredShape {
  readonly volumeType: string;
  /** Undefined for a disk of no zone, or of all. */
  readonly zone: string | undefined;
  readonly encryption: Encryption | undefined;
  readonly marks: DiskMarks;
  /** Where the disk is, if that is another place than the PersistentVolume says. */
  readonly moved: VolumePlace | undefined;
}

/** Says `none` for regions without zones. */
const noZone = "none";

/** Decides what a volume becomes that is restored from a snapshot; each difference to its record is one log line. */
export async function restoredShape(
  request: VolumeFromSnapshot,
  snapshot: Snapshot,
  rules: RestoreRules,
  call: Call,
): Promise<RestoredShape> {
  const tags = readTags(snapshot.tags);
  const marks = readMarks(tags);
  const originRegion = originRegionOf(tags);
  const isCopy = originRegion !== "";
  const region = snapshot.location;
  const volumeType = isCopy ? await typeThere(request, region, marks, rules, call) : request.volumeType;
  const { zone, isMoved } = zoneThere(request, volumeType, region, { marks, originRegion }, rules, call);
  return {
    volumeType,
    zone,
    encryption: encryptionThere(request, snapshot, marks, rules),
    marks,
    moved: isCopy || isMoved ? await placeOf({ region, zone, volumeType }, rules.types, call) : undefined,
  };
}

/** A disk's place in the words of the CSI driver, which has a zone of no name for disks without one. */
export async function placeOf(
  {
    region,
    zone,
    volumeType,
  }: { readonly region: string; readonly zone: string | undefined; readonly volumeType: string },
  types: RegionDiskTypes,
  call: Call,
): Promise<VolumePlace> {
  if (zone !== undefined) return { region, zones: [`${region}-${zone}`] };
  if (!isZoneRedundant(volumeType)) return { region, zones: [""] };
  const zones = [...new Set([...((await types.in(region, call)) ?? new Map<string, string[]>()).values()].flat())];
  // Every region with zones has these three.
  return { region, zones: (zones.length > 0 ? zones.toSorted() : ["1", "2", "3"]).map((one) => `${region}-${one}`) };
}

async function typeThere(
  { volumeType, snapshotId }: VolumeFromSnapshot,
  region: string,
  marks: DiskMarks,
  rules: RestoreRules,
  call: Call,
): Promise<string> {
  const offered = offeredType(volumeType, marks, await rules.types.in(region, call));
  if (offered !== volumeType)
    call.log.info("the region does not have the volume's type: the nearest one takes its place", {
      snapshotId,
      region,
      recorded: volumeType,
      used: offered,
    });
  return offered;
}

function zoneThere(
  request: VolumeFromSnapshot,
  volumeType: string,
  region: string,
  origin: { readonly marks: DiskMarks; readonly originRegion: string },
  rules: RestoreRules,
  call: Call,
): { readonly zone: string | undefined; readonly isMoved: boolean } {
  if (isZoneRedundant(volumeType)) return { zone: undefined, isMoved: false };
  const recorded = recordedZone(request, region, origin);
  // A disk that was in all zones and no longer can be needs one; one that was in none needs none.
  if (recorded === "" && !isZoneRedundant(request.volumeType)) return { zone: undefined, isMoved: false };
  const isHere = (zone: string): boolean => zone.toLowerCase().startsWith(`${region}-`);
  if (!isHere(recorded) && isByHand(rules, origin)) return { zone: sameNumber(request, recorded, call), isMoved: true };
  const { zoneMap, defaultZone } = rules;
  const { zone, reason } = restorePlace(request.snapshotId, recorded, { zoneMap, defaultZone, region, isHere });
  if (reason !== "")
    call.log.info("the volume is restored in another zone than the recorded one", {
      snapshotId: request.snapshotId,
      recorded,
      used: zone,
      reason,
    });
  return { zone: zone === noZone ? undefined : zone.split("-").at(-1), isMoved: reason !== "" };
}

/** Whether neither the location nor the snapshot tells of another region: whoever copied it there did so by hand. */
function isByHand(
  { region, zoneMap, defaultZone }: RestoreRules,
  { originRegion }: { readonly originRegion: string },
): boolean {
  return region === undefined && zoneMap.size === 0 && defaultZone === undefined && originRegion === "";
}

/** What the official plugin takes, whatever the region. */
function sameNumber({ snapshotId }: VolumeFromSnapshot, recorded: string, call: Call): string | undefined {
  call.log.info("the snapshot is of another region than the recorded zone: the zone there has the same number", {
    snapshotId,
    recorded,
  });
  return recorded.split("-").at(-1);
}

/** As the server recorded it (`eastus-1`), else as the snapshot remembers it. */
function recordedZone(
  { volumeAz, volumeType }: VolumeFromSnapshot,
  region: string,
  { marks, originRegion }: { readonly marks: DiskMarks; readonly originRegion: string },
): string {
  if (isZoneRedundant(volumeType)) return "";
  if (volumeAz.includes("-")) return volumeAz;
  return marks.zone === undefined ? "" : `${originRegion === "" ? region : originRegion}-${marks.zone}`;
}

function encryptionThere(
  { snapshotId }: VolumeFromSnapshot,
  { location: region, encryption }: Snapshot,
  marks: DiskMarks,
  { diskEncryptionSet }: RestoreRules,
): Encryption | undefined {
  const { encryptionType: type, leftEncryptionSet } = marks;
  if (marks.encryption !== undefined) return marks.encryption;
  if (leftEncryptionSet === undefined && type === undefined) return undefined;
  // The id of a set may be too long for a tag. Azure encrypts a snapshot with the key of its disk.
  const own = leftEncryptionSet === undefined ? encryption?.diskEncryptionSetId : undefined;
  const diskEncryptionSetId = own ?? diskEncryptionSet;
  if (diskEncryptionSetId !== undefined) return { diskEncryptionSetId, ...(type === undefined ? {} : { type }) };
  const former = leftEncryptionSet ?? "a customer's key";
  throw new PluginError(
    `create a volume from snapshot "${snapshotId}": its disk was encrypted with ${former}, which is of another region than ` +
      `${region}; set the location's key diskEncryptionSet to the id of a set of ${region}`,
    { kind: "invalid-config" },
  );
}

function isZoneRedundant(volumeType: string): boolean {
  return volumeType.endsWith("_ZRS");
}
