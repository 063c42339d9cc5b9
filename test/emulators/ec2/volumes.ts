import { accountIdOf } from "../accounts.ts";
import { element, leaf } from "../xml.ts";
import { endDryRun, findSnapshot, findVolume, kmsFailure, newId, resolveKmsKey } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { Ec2Error, invalidValue } from "./ec2-error.ts";
import { applyFilters, takePage } from "./filters.ts";
import { snapshotState, volumeState } from "./model.ts";
import type { Snapshot, Volume, VolumeType } from "./model.ts";
import { readTagSpecification, writeTags } from "./tags.ts";
import { checkKeyUse, checkSize, parseVolumeType, settleIops, settleThroughput } from "./volume-rules.ts";

/** CreateVolume. */
export const createVolume: Handler = (call) => {
  const token = call.params.text("ClientToken");
  const fingerprint = call.params.fingerprint(["ClientToken"]);
  const use = token === undefined ? undefined : call.region.tokens.get(token);
  const made = use === undefined ? undefined : call.region.volumes.get(use.id);
  if (use !== undefined && use.fingerprint !== fingerprint) {
    throw new Ec2Error(
      "IdempotentParameterMismatch",
      `The client token you have provided is associated with a resource that has different parameters.`,
    );
  }
  if (made !== undefined) return writeVolume(made, call.nowMs);
  const volume = readVolume(call);
  endDryRun(call);
  call.region.volumes.set(volume.id, volume);
  if (token !== undefined) call.region.tokens.set(token, { fingerprint, id: volume.id });
  // However short the wait: the answer to the creation itself always says that it is not done.
  return writeVolume(volume, Math.min(call.nowMs, volume.readyMs - 1));
};

/** DescribeVolumes. */
export const describeVolumes: Handler = (call) => {
  endDryRun(call);
  const ids = call.params.list("VolumeId");
  const owner = accountIdOf(call.account);
  const all =
    ids.length > 0
      ? ids.map((id) => findVolume(call, id))
      : [...call.region.volumes.values()].filter((volume) => volume.ownerId === owner);
  const found = applyFilters(
    call.params,
    all,
    (volume) => ({
      "volume-id": [volume.id],
      status: [volumeState(volume, call.nowMs)],
      "availability-zone": [volume.zone],
      encrypted: [String(volume.isEncrypted)],
      size: [String(volume.sizeGiB)],
      "snapshot-id": [volume.snapshotId ?? ""],
      "volume-type": [volume.type],
      "create-time": [new Date(volume.createdMs).toISOString()],
      "multi-attach-enabled": [String(volume.isMultiAttach)],
    }),
    (volume) => volume.tags,
  );
  const { page, nextToken } = takePage(call.params, found, (volume) => volume.id, "VolumeId");
  const items = page.map((volume) => element("item", [...writeVolume(volume, call.nowMs)]));
  return [element("volumeSet", items), leaf("nextToken", nextToken)];
};

/** DeleteVolume. */
export const deleteVolume: Handler = (call) => {
  const volume = findVolume(call, call.params.required("VolumeId"));
  endDryRun(call);
  call.region.volumes.delete(volume.id);
  return [leaf("return", true)];
};

function readType(call: Call): VolumeType {
  const type = parseVolumeType(call.params.text("VolumeType"));
  if (call.settings.missingTypes[call.region.region]?.includes(type) !== true) return type;
  throw new Ec2Error("UnknownVolumeType", `Unsupported volume type '${type}' for volume creation.`);
}

function readVolume(call: Call): Volume {
  const { params } = call;
  const zone = readZone(call);
  const snapshotId = params.text("SnapshotId");
  const snapshot = snapshotId === undefined || snapshotId === "" ? undefined : readSource(call, snapshotId);
  const type = readType(call);
  const sizeGiB = readSize(call, snapshot);
  checkSize(type, sizeGiB);
  const iops = settleIops(type, sizeGiB, params.integer("Iops"));
  const throughput = settleThroughput(type, iops, params.integer("Throughput"));
  const askedKey = params.text("KmsKeyId");
  const isEncrypted = params.boolean("Encrypted") === true || snapshot?.isEncrypted === true;
  checkKeyUse(askedKey, isEncrypted);
  const isMultiAttach = params.boolean("MultiAttachEnabled") === true;
  if (isMultiAttach && type !== "io1" && type !== "io2") {
    throw new Ec2Error(
      "InvalidParameterCombination",
      `The parameter multiAttachEnabled is not supported for ${type} volumes.`,
    );
  }
  const kmsKeyId = isEncrypted ? resolveKmsKey(call, askedKey ?? snapshot?.kmsKeyId) : undefined;
  const failure =
    (snapshot === undefined ? undefined : call.takeFailure(snapshot.id)) ?? kmsFailure(call, askedKey, kmsKeyId);
  return {
    id: newId("vol"),
    ownerId: accountIdOf(call.account),
    zone,
    type,
    sizeGiB,
    iops,
    throughput,
    isEncrypted,
    kmsKeyId,
    snapshotId: snapshot?.id,
    isMultiAttach,
    createdMs: call.nowMs,
    readyMs: call.nowMs + call.settings.pendingMs,
    failure,
    tags: readTagSpecification(params, "volume"),
  };
}

function readZone(call: Call): string {
  const zone = call.params.text("AvailabilityZone");
  const zoneId = call.params.text("AvailabilityZoneId");
  if (zone !== undefined && zoneId !== undefined) {
    throw new Ec2Error(
      "InvalidParameterCombination",
      "Only one of AvailabilityZone and AvailabilityZoneId may be specified.",
    );
  }
  if (zone === undefined && zoneId === undefined) {
    throw new Ec2Error("MissingParameter", "The request must contain the parameter AvailabilityZone");
  }
  const { zones } = call.region;
  const found = zones.find((known, index) => known === zone || zoneIdOf(call.region.region, index) === zoneId);
  if (found !== undefined) return found;
  throw new Ec2Error("InvalidZone.NotFound", `The zone '${zone ?? zoneId ?? ""}' does not exist.`);
}

/** Returns the id of a zone, which names the same place for every account. */
export function zoneIdOf(region: string, index: number): string {
  const short = region.replace(/^([a-z]{2})-([a-z])[a-z]*-(\d)$/, "$1$2$3");
  return `${short}-az${index + 1}`;
}

function readSource(call: Call, snapshotId: string): Snapshot {
  const snapshot = findSnapshot(call, snapshotId);
  const state = snapshotState(snapshot, call.nowMs);
  if (state !== "completed") {
    throw new Ec2Error("IncorrectState", `Snapshot is in invalid state - ${state}`);
  }
  if (snapshot.tier === "archive") {
    throw new Ec2Error("IncorrectState", `Snapshot '${snapshot.id}' is archived and must be restored first.`);
  }
  return snapshot;
}

function readSize(call: Call, snapshot: Snapshot | undefined): number {
  const asked = call.params.integer("Size");
  if (asked === undefined) {
    if (snapshot !== undefined) return snapshot.sizeGiB;
    throw new Ec2Error("MissingParameter", "The request must contain the parameter size or snapshotId");
  }
  if (snapshot !== undefined && asked < snapshot.sizeGiB) {
    throw invalidValue(
      `Volume of ${asked}GiB is smaller than snapshot '${snapshot.id}', expected size >= ${snapshot.sizeGiB}GiB`,
    );
  }
  return asked;
}

function writeVolume(volume: Volume, nowMs: number): readonly string[] {
  return [
    leaf("volumeId", volume.id),
    leaf("size", volume.sizeGiB),
    leaf("snapshotId", volume.snapshotId ?? ""),
    leaf("availabilityZone", volume.zone),
    leaf("status", volumeState(volume, nowMs)),
    leaf("createTime", new Date(volume.createdMs).toISOString()),
    element("attachmentSet", []),
    writeTags(volume.tags),
    leaf("volumeType", volume.type),
    leaf("iops", volume.iops),
    leaf("throughput", volume.throughput),
    leaf("encrypted", volume.isEncrypted),
    leaf("kmsKeyId", volume.kmsKeyId),
    leaf("multiAttachEnabled", volume.isMultiAttach),
  ];
}
