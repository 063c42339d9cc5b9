import { createHash, randomUUID } from "node:crypto";

import { invalidParameter } from "./arm-error.ts";
import { begin, checkIdle, checkQuota, findAsked, readBody } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { checkCopyStart } from "./copy-start.ts";
import { findAnywhere, findSource, readCreation } from "./creation.ts";
import type { Source } from "./creation.ts";
import { isProvisioned } from "./disk-rules.ts";
import { platformEncryption, settleEncryption } from "./encryption.ts";
import type { JsonBody } from "./json-body.ts";
import { snapshotSkus } from "./model.ts";
import type { CreationData, Snapshot, SnapshotSku } from "./model.ts";
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
import { readTags } from "./tags.ts";
import { writeSnapshot } from "./write-resource.ts";

const type = "Microsoft.Compute/snapshots";

/** Snapshots_CreateOrUpdate. */
export const putSnapshot: Handler = (call) => {
  checkName(call.id.name);
  const body = readBody(call);
  const location = call.regions.read(body.text("location"), type);
  const old = call.state.snapshots.get(keyOf(call.id));
  const creation = readCreation(body.object("properties"), "snapshot");
  if (old === undefined) return create(call, body, location, creation);
  checkIdle(call, old);
  checkUnchanged(old, location, creation);
  const incremental = body.object("properties")?.boolean("incremental") ?? false;
  if (incremental !== old.isIncremental) throw notChangeable("incremental");
  return change(call, old, body, false);
};

/** Snapshots_Update. */
export const patchSnapshot: Handler = (call) => {
  const old = findAsked(call, call.state.snapshots);
  checkIdle(call, old);
  return change(call, old, readBody(call), true);
};

/** Snapshots_Get. */
export const getSnapshot: Handler = (call) => ({
  status: 200,
  body: writeSnapshot(findAsked(call, call.state.snapshots), call.nowMs),
});

function create(call: Call, body: JsonBody, location: string, creation: CreationData): ReturnType<Handler> {
  const properties = body.object("properties");
  const isIncremental = properties?.boolean("incremental") ?? false;
  const source = readSource(call, creation, location, isIncremental);
  const made = source.kind === "disk" ? source.disk : source.snapshot;
  const sku = readSku(call, body, location, isIncremental);
  const sizeGiB = settleSize(properties?.number("diskSizeGB"), made.sizeGiB, "the corresponding source");
  const isCopyStart = creation.createOption === "CopyStart";
  // A disk encryption set is of one region: what is copied to another one does not take it along.
  const inherited = isCopyStart ? platformEncryption : made.encryption;
  const { encryption, failure: keyFailure } = settleEncryption(call, properties, location, inherited);
  const tags = readTags(body.object("tags"));
  const rest = { ...inheritKept(made), ...readKept(properties, "snapshots") };
  checkQuota(call, location, "snapshots");
  const { id, nowMs } = call;
  const failure = call.takeFailure([keyOf(id), creation.sourceResourceId]) ?? keyFailure;
  const operation = begin(call, location, "write", failure && { failure });
  const snapshot: Snapshot = {
    id,
    uniqueId: randomUUID(),
    location,
    tags,
    sku,
    sizeGiB,
    encryption,
    creation: { ...creation, sourceUniqueId: made.uniqueId },
    createdMs: nowMs,
    readyMs: operation.readyMs,
    ...(failure && { failure }),
    isIncremental,
    ...(isIncremental ? { familyId: familyOf(source, location) } : {}),
    copyStartMs: nowMs,
    copiedMs: isIncremental ? nowMs + call.settings.copyMs : nowMs,
    needsCopy: isCopyStart || (source.kind === "disk" && isProvisioned(source.disk.sku)),
    rest,
  };
  call.state.snapshots.set(keyOf(id), snapshot);
  return { status: 202, body: writeAccepted(snapshot, nowMs), operation };
}

function change(call: Call, old: Snapshot, body: JsonBody, isUpdate: boolean): ReturnType<Handler> {
  const properties = body.object("properties");
  const sku = readChoice("sku.name", body.object("sku")?.text("name"), snapshotSkus) ?? old.sku;
  const sizeGiB = settleSize(properties?.number("diskSizeGB"), old.sizeGiB, "the snapshot");
  const { encryption, failure: keyFailure } = settleEncryption(call, properties, old.location, old.encryption);
  const tags = settleTags(body, old, isUpdate);
  const rest = { ...old.rest, ...readKept(properties, "snapshots") };
  const failure = call.takeFailure([keyOf(call.id)]) ?? keyFailure;
  const operation = begin(call, old.location, "write", failure && { failure });
  const { failure: _gone, ...healthy } = old;
  const changes = { sku, sizeGiB, encryption, tags, rest, readyMs: operation.readyMs };
  const snapshot: Snapshot = { ...healthy, ...changes, ...(failure && { failure }) };
  call.state.snapshots.set(keyOf(call.id), snapshot);
  return { status: 202, body: writeAccepted(snapshot, call.nowMs), operation };
}

function readSource(call: Call, creation: CreationData, location: string, isIncremental: boolean): Source {
  if (creation.createOption === "CopyStart") {
    return checkCopyStart(call, findAnywhere(call, creation), location, isIncremental);
  }
  if (creation.createOption !== "Copy") {
    throw invalidParameter(
      `The value '${creation.createOption}' of parameter 'creationData.createOption' is not allowed for snapshots by this stand-in.`,
    );
  }
  const source = findSource(call, creation, location);
  if (source.kind === "disk" && isProvisioned(source.disk.sku) && !isIncremental) {
    throw invalidParameter(`Only incremental snapshots are supported for disks of type '${source.disk.sku}'.`);
  }
  if (source.kind === "snapshot" && isIncremental && !source.snapshot.isIncremental) {
    throw invalidParameter("An incremental snapshot cannot be made of a full snapshot.");
  }
  return source;
}

function readSku(call: Call, body: JsonBody, location: string, isIncremental: boolean): SnapshotSku {
  const asked = readChoice("sku.name", body.object("sku")?.text("name"), snapshotSkus);
  const hasZones = call.regions.zonesOf(location).length > 0;
  if (asked === undefined) return isIncremental && hasZones ? "Standard_ZRS" : "Standard_LRS";
  if (isIncremental && asked === "Premium_LRS") {
    throw invalidParameter("Incremental snapshots are kept on standard storage; the sku 'Premium_LRS' is not allowed.");
  }
  if (asked !== "Standard_ZRS" || hasZones) return asked;
  throw invalidParameter(`The value '${asked}' of parameter 'sku.name' is not available in location '${location}'.`);
}

// Snapshots of a disk in its region are one family, their copies in another region are another.
function familyOf(source: Source, location: string): string {
  if (source.kind === "disk") return source.disk.uniqueId;
  const { familyId = source.snapshot.uniqueId, location: from } = source.snapshot;
  if (from === location) return familyId;
  const hex = createHash("sha256").update(`${familyId} in ${location}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

// However short the wait: the answer to the write itself always says that it is not done.
function writeAccepted(snapshot: Snapshot, nowMs: number): Readonly<Record<string, unknown>> {
  return writeSnapshot(snapshot, Math.min(nowMs, snapshot.readyMs - 1));
}
