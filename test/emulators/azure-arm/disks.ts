import { randomUUID } from "node:crypto";

import { ArmError, invalidParameter } from "./arm-error.ts";
import { begin, checkIdle, checkQuota, findAsked, readBody } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { findSource, readCreation } from "./creation.ts";
import type { Source } from "./creation.ts";
import { checkSize, isProvisioned, isZoneRedundant, settlePerformance } from "./disk-rules.ts";
import { platformEncryption, settleEncryption } from "./encryption.ts";
import type { JsonBody } from "./json-body.ts";
import { diskSkus } from "./model.ts";
import type { CreationData, Disk, DiskSku } from "./model.ts";
import {
  checkName,
  checkUnchanged,
  inheritKept,
  notChangeable,
  readChoice,
  readKept,
  settleSize,
  settleTags,
} from "./properties.ts";
import { keyOf } from "./resource-id.ts";
import { checkOffered } from "./resource-skus.ts";
import { readTags } from "./tags.ts";
import { writeDisk } from "./write-resource.ts";

const type = "Microsoft.Compute/disks";
// What an image has where nobody says how big it is.
const imageGiB = 30;
// What the API has and the stand-in does not.
const notMadeHere = new Set([
  "Attach",
  "Restore",
  "Upload",
  "ImportSecure",
  "UploadPreparedSecure",
  "CopyFromSanSnapshot",
]);

/** Disks_CreateOrUpdate. */
export const putDisk: Handler = (call) => {
  checkName(call.id.name);
  const body = readBody(call);
  const location = call.regions.read(body.text("location"), type);
  const old = call.state.disks.get(keyOf(call.id));
  const creation = readCreation(body.object("properties"), "disk");
  if (old !== undefined) {
    checkIdle(call, old);
    checkUnchanged(old, location, creation);
    return change(call, old, body, false);
  }
  return create(call, body, location, creation);
};

/** Disks_Update. */
export const patchDisk: Handler = (call) => {
  const old = findAsked(call, call.state.disks);
  checkIdle(call, old);
  return change(call, old, readBody(call), true);
};

/** Disks_Get. */
export const getDisk: Handler = (call) => ({
  status: 200,
  body: writeDisk(findAsked(call, call.state.disks), call.nowMs),
});

function create(call: Call, body: JsonBody, location: string, creation: CreationData): ReturnType<Handler> {
  const properties = body.object("properties");
  const source = readSource(call, creation, location);
  const sku = readSku(body) ?? "Standard_LRS";
  checkOffered(call.regions, call.id.subscriptionId, location, sku);
  const sizeGiB = readSize(properties, creation, source);
  checkSize(sku, sizeGiB);
  const asked = [properties?.number("diskIOPSReadWrite"), properties?.number("diskMBpsReadWrite")] as const;
  const performance = settlePerformance(sku, sizeGiB, ...asked);
  const zones = readZones(call, body, location, sku);
  const made = source?.kind === "disk" ? source.disk : source?.snapshot;
  const inherited = made?.encryption ?? platformEncryption;
  const { encryption, failure: keyFailure } = settleEncryption(call, properties, location, inherited);
  const tags = readTags(body.object("tags"));
  const rest = { ...inheritKept(made), ...readKept(properties, "disks") };
  checkQuota(call, location, "disks");
  const { id, nowMs } = call;
  const failure = call.takeFailure([keyOf(id), creation.sourceResourceId]) ?? keyFailure;
  const operation = begin(call, location, "write", failure && { failure });
  const disk: Disk = {
    id,
    uniqueId: randomUUID(),
    location,
    tags,
    sku,
    zones,
    sizeGiB,
    ...performance,
    encryption,
    creation: made === undefined ? creation : { ...creation, sourceUniqueId: made.uniqueId },
    createdMs: nowMs,
    readyMs: operation.readyMs,
    ...(failure && { failure }),
    rest,
  };
  call.state.disks.set(keyOf(id), disk);
  return { status: 202, body: writeAccepted(disk, nowMs), operation };
}

function change(call: Call, old: Disk, body: JsonBody, isUpdate: boolean): ReturnType<Handler> {
  const properties = body.object("properties");
  const shape = readShape(old, body);
  const { encryption, failure: keyFailure } = settleEncryption(call, properties, old.location, old.encryption);
  const tags = settleTags(body, old, isUpdate);
  const rest = { ...old.rest, ...readKept(properties, "disks") };
  const failure = call.takeFailure([keyOf(call.id)]) ?? keyFailure;
  const operation = begin(call, old.location, "write", failure && { failure });
  const { failure: _gone, ...healthy } = old;
  const changes = { ...shape, encryption, tags, rest, readyMs: operation.readyMs };
  const disk: Disk = { ...healthy, ...changes, ...(failure && { failure }) };
  call.state.disks.set(keyOf(call.id), disk);
  return { status: 202, body: writeAccepted(disk, call.nowMs), operation };
}

function readShape(old: Disk, body: JsonBody): Pick<Disk, "sku" | "sizeGiB" | "iops" | "mbps"> {
  const properties = body.object("properties");
  const sku = readSku(body) ?? old.sku;
  if (sku !== old.sku && (isProvisioned(sku) || isProvisioned(old.sku))) throw notChangeable("sku.name");
  const sizeGiB = settleSize(properties?.number("diskSizeGB"), old.sizeGiB, "the disk");
  checkSize(sku, sizeGiB);
  const kept = isProvisioned(sku) ? old : undefined;
  const iops = properties?.number("diskIOPSReadWrite") ?? kept?.iops;
  const mbps = properties?.number("diskMBpsReadWrite") ?? kept?.mbps;
  return { sku, sizeGiB, ...settlePerformance(sku, sizeGiB, iops, mbps) };
}

function readSource(call: Call, creation: CreationData, location: string): Source | undefined {
  const { createOption, rest } = creation;
  switch (createOption) {
    case "Empty":
      return undefined;
    case "Copy":
      return findSource(call, creation, location);
    case "FromImage":
      if ("imageReference" in rest || "galleryImageReference" in rest) return undefined;
      throw invalidParameter("Required parameter 'disk.creationData.imageReference' is missing (null).");
    case "Import":
      if ("sourceUri" in rest && "storageAccountId" in rest) return undefined;
      throw invalidParameter(
        "Required parameter 'disk.creationData.sourceUri' or 'storageAccountId' is missing (null).",
      );
    case "CopyStart":
      throw invalidParameter(
        "The value 'CopyStart' of parameter 'creationData.createOption' is allowed for snapshots only.",
      );
    default:
      if (notMadeHere.has(createOption)) {
        throw new ArmError(501, "NotImplementedByStandIn", `This stand-in makes no disks by '${createOption}'.`);
      }
      throw invalidParameter(`The value '${createOption}' of parameter 'creationData.createOption' is not allowed.`);
  }
}

function readSku(body: JsonBody): DiskSku | undefined {
  return readChoice("sku.name", body.object("sku")?.text("name"), diskSkus);
}

function readSize(properties: JsonBody | undefined, creation: CreationData, source: Source | undefined): number {
  const asked = properties?.number("diskSizeGB");
  if (source !== undefined) {
    const least = source.kind === "disk" ? source.disk.sizeGiB : source.snapshot.sizeGiB;
    return settleSize(asked, least, "the corresponding source");
  }
  if (asked !== undefined) return asked;
  if (creation.createOption !== "Empty") return imageGiB;
  throw invalidParameter("Required parameter 'disk.diskSizeGB' is missing (null).");
}

function readZones(call: Call, body: JsonBody, location: string, sku: DiskSku): readonly string[] {
  const zones = body.texts("zones") ?? [];
  const supported = call.regions.zonesOf(location);
  const unknown = zones.filter((zone) => !supported.includes(zone));
  if (unknown.length > 0) {
    throw new ArmError(
      400,
      "AvailabilityZoneNotSupported",
      `The zone(s) '${unknown.join(",")}' for resource '${type}/${call.id.name}' is not supported. The supported zones for location '${location}' are '${supported.join(",")}'`,
    );
  }
  if (isZoneRedundant(sku) && supported.length === 0) {
    throw invalidParameter(`The value '${sku}' of parameter 'sku.name' is not available in location '${location}'.`);
  }
  if (isZoneRedundant(sku) && zones.length > 0) {
    throw invalidParameter(`A disk of type '${sku}' is in all zones; the parameter 'zones' is not allowed.`);
  }
  if (zones.length > 1) throw invalidParameter("A disk is in one zone; the parameter 'zones' names more.");
  return zones;
}

// However short the wait: the answer to the write itself always says that it is not done.
function writeAccepted(disk: Disk, nowMs: number): Readonly<Record<string, unknown>> {
  return writeDisk(disk, Math.min(nowMs, disk.readyMs - 1));
}
