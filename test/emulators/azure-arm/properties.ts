import { ArmError, invalidParameter } from "./arm-error.ts";
import { unknownMember } from "./creation.ts";
import type { JsonBody } from "./json-body.ts";
import type { CreationData, Disk, Snapshot } from "./model.ts";
import { readTags } from "./tags.ts";

// What the stand-in gives back unchanged.
const keptForBoth = [
  "osType",
  "hyperVGeneration",
  "purchasePlan",
  "supportedCapabilities",
  "encryptionSettingsCollection",
  "networkAccessPolicy",
  "diskAccessId",
  "securityProfile",
  "supportsHibernation",
  "publicNetworkAccess",
  "dataAccessAuthMode",
];
const keptForDisks = [
  "diskIOPSReadOnly",
  "diskMBpsReadOnly",
  "maxShares",
  "tier",
  "burstingEnabled",
  "optimizedForFrequentAttach",
  "availabilityPolicy",
];
// What has a meaning here, and what the service sets and a client may send back.
const understood = ["creationData", "diskSizeGB", "encryption"];
const readOnly = ["timeCreated", "provisioningState", "diskState", "uniqueId", "diskSizeBytes", "completionPercent"];
const understoodOfDisks = ["diskIOPSReadWrite", "diskMBpsReadWrite"];
const understoodOfSnapshots = ["incremental"];
const readOnlyOfSnapshots = ["incrementalSnapshotFamilyId", "snapshotAccessState", "copyCompletionError"];

const kept: Readonly<Record<"disks" | "snapshots", ReadonlySet<string>>> = {
  disks: new Set([...keptForBoth, ...keptForDisks]),
  snapshots: new Set(keptForBoth),
};
const others: Readonly<Record<"disks" | "snapshots", ReadonlySet<string>>> = {
  disks: new Set([...understood, ...readOnly, ...understoodOfDisks]),
  snapshots: new Set([...understood, ...readOnly, ...understoodOfSnapshots, ...readOnlyOfSnapshots]),
};

/** Returns the properties that are only kept; refuses those that the API does not have. */
export function readKept(
  properties: JsonBody | undefined,
  kind: "disks" | "snapshots",
): Readonly<Record<string, unknown>> {
  const names = properties?.names ?? [];
  const unknown = names.find((name) => !kept[kind].has(name) && !others[kind].has(name));
  if (unknown !== undefined) throw unknownMember(`properties.${unknown}`);
  const found = names.filter((name) => kept[kind].has(name)).map((name) => [name, properties?.raw(name)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

// What describes the content, and so goes along to whatever is made of it.
const ofContent = [
  "osType",
  "hyperVGeneration",
  "purchasePlan",
  "supportedCapabilities",
  "encryptionSettingsCollection",
  "securityProfile",
];

/** Returns the properties that something has of what it is made of. */
export function inheritKept(source: Disk | Snapshot | undefined): Readonly<Record<string, unknown>> {
  const rest = Object.entries(source?.rest ?? {});
  return Object.fromEntries(rest.filter(([name]) => ofContent.includes(name)));
}

/** Returns the tags that a write leaves: an update keeps those that it does not speak of, a write of the whole does not. */
export function settleTags(body: JsonBody, old: Disk | Snapshot, isUpdate: boolean): Disk["tags"] {
  const tags = body.object("tags");
  return tags === undefined && isUpdate ? old.tags : readTags(tags);
}

/** Refuses a name that a disk or snapshot cannot have. */
export function checkName(name: string): void {
  if (/^[a-z0-9][\w.-]{0,79}(?<![.-])$/i.test(name)) return;
  throw invalidParameter(
    String.raw`The entity name 'name' is invalid according to its validation rule: ^[^_\W][\w-._]{0,79}(?<![-.])$.`,
  );
}

/** Returns one of the allowed values in their spelling. */
export function readChoice<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one.toLowerCase() === value.toLowerCase());
  if (found !== undefined) return found;
  throw invalidParameter(
    `The value '${value}' of parameter '${name}' is not allowed. Allowed values are ${allowed.join(", ")}.`,
  );
}

/** Refuses a write over something that exists which would change what cannot change. */
export function checkUnchanged(old: Disk | Snapshot, location: string, creation: CreationData | undefined): void {
  if (location !== old.location) {
    throw new ArmError(
      409,
      "InvalidResourceLocation",
      `The resource '${old.id.name}' already exists in location '${old.location}' in resource group '${old.id.resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
  }
  if (creation === undefined) return;
  const isSame =
    creation.createOption === old.creation.createOption &&
    creation.sourceResourceId?.toLowerCase() === old.creation.sourceResourceId?.toLowerCase();
  if (!isSame)
    throw notChangeable(creation.createOption === old.creation.createOption ? "sourceResourceId" : "createOption");
}

/** The error of a property that is fixed once something exists. */
export function notChangeable(name: string): ArmError {
  return new ArmError(409, "PropertyChangeNotAllowed", `Changing property '${name}' is not allowed.`);
}

/** Refuses a size below the one that something has, or is made of. */
export function settleSize(asked: number | undefined, least: number, what: string): number {
  if (asked === undefined) return least;
  if (asked >= least) return asked;
  throw invalidParameter(`The specified disk size ${asked} GB is smaller than the size of ${what}, ${least} GB.`);
}
