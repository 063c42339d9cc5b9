import { accountIdOf } from "../accounts.ts";
import { element, leaf } from "../xml.ts";
import {
  endDryRun,
  findOwnSnapshot,
  findSnapshot,
  findVolume,
  kmsFailure,
  mayRestore,
  newId,
  resolveKmsKey,
} from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { Ec2Error, invalidValue } from "./ec2-error.ts";
import { applyFilters, takePage } from "./filters.ts";
import { snapshotProgress, snapshotState, volumeState } from "./model.ts";
import type { Snapshot } from "./model.ts";
import { readTagSpecification, writeTags } from "./tags.ts";
import { checkKeyUse } from "./volume-rules.ts";

const maxDescription = 255;
// What EC2 shows as the volume of a copied snapshot.
const noVolume = "vol-ffffffff";

/** CreateSnapshot. */
export const createSnapshot: Handler = (call) => {
  const volume = findVolume(call, call.params.required("VolumeId"));
  if (volumeState(volume, call.nowMs) !== "available") {
    throw new Ec2Error("IncorrectState", `Volume '${volume.id}' is in the '${volumeState(volume, call.nowMs)}' state.`);
  }
  const description = readDescription(call);
  const tags = readTagSpecification(call.params, "snapshot");
  endDryRun(call);
  const snapshot: Snapshot = {
    ...freshSnapshot(call),
    volumeId: volume.id,
    sizeGiB: volume.sizeGiB,
    description,
    isEncrypted: volume.isEncrypted,
    kmsKeyId: volume.kmsKeyId,
    failure: call.takeFailure(volume.id),
    tags,
  };
  call.region.snapshots.set(snapshot.id, snapshot);
  // However short the wait: the answer to the creation itself always says that it is not done.
  return writeSnapshot(snapshot, Math.min(call.nowMs, snapshot.readyMs - 1));
};

/** DescribeSnapshots. */
export const describeSnapshots: Handler = (call) => {
  endDryRun(call);
  const ids = call.params.list("SnapshotId");
  const all =
    ids.length > 0
      ? ids.map((id) => findSnapshot(call, id))
      : [...call.region.snapshots.values()].filter((snapshot) => mayRestore(call, snapshot));
  const found = applyFilters(
    call.params,
    all.filter((snapshot) => isAskedFor(call, snapshot)),
    (snapshot) => ({
      "snapshot-id": [snapshot.id],
      "volume-id": [snapshot.volumeId],
      "volume-size": [String(snapshot.sizeGiB)],
      status: [snapshotState(snapshot, call.nowMs)],
      progress: [`${snapshotProgress(snapshot, call.nowMs)}%`],
      description: [snapshot.description],
      encrypted: [String(snapshot.isEncrypted)],
      "owner-id": [snapshot.ownerId],
      "start-time": [new Date(snapshot.startedMs).toISOString()],
      "storage-tier": [snapshot.tier],
    }),
    (snapshot) => snapshot.tags,
  );
  const { page, nextToken } = takePage(call.params, found, (snapshot) => snapshot.id, "SnapshotId");
  const items = page.map((snapshot) => element("item", [...writeSnapshot(snapshot, call.nowMs)]));
  return [element("snapshotSet", items), leaf("nextToken", nextToken)];
};

/** DeleteSnapshot. */
export const deleteSnapshot: Handler = (call) => {
  const snapshot = findOwnSnapshot(call, call.params.required("SnapshotId"));
  if (snapshot.imageId !== undefined) {
    throw new Ec2Error(
      "InvalidSnapshot.InUse",
      `The snapshot ${snapshot.id} is currently in use by ${snapshot.imageId}`,
    );
  }
  endDryRun(call);
  call.region.snapshots.delete(snapshot.id);
  return [leaf("return", true)];
};

/** CopySnapshot: the region of the request is the destination. */
export const copySnapshot: Handler = (call) => {
  const { params } = call;
  const sourceName = params.required("SourceRegion");
  const sourceRegion = call.regionOf(sourceName);
  if (sourceRegion === undefined) throw invalidValue(`Invalid source region: ${sourceName}`);
  const destination = params.text("DestinationRegion");
  if (destination !== undefined && destination !== call.region.region) {
    throw invalidValue(`The destination region ${destination} is not the region that the request was sent to.`);
  }
  const source = findSnapshot(call, params.required("SourceSnapshotId"), sourceRegion);
  if (snapshotState(source, call.nowMs) !== "completed") {
    throw new Ec2Error("IncorrectState", `The snapshot '${source.id}' is not in the 'completed' state.`);
  }
  call.checkPresignedUrl(source.isEncrypted);
  const askedKey = params.text("KmsKeyId");
  const isEncrypted = source.isEncrypted || params.boolean("Encrypted") === true;
  checkKeyUse(askedKey, isEncrypted);
  const kmsKeyId = isEncrypted ? resolveKmsKey(call, askedKey) : undefined;
  const description = readDescription(call);
  const tags = readTagSpecification(params, "snapshot");
  checkCompletionDuration(params.integer("CompletionDurationMinutes"));
  endDryRun(call);
  checkConcurrentCopies(call);
  const snapshot: Snapshot = {
    ...freshSnapshot(call),
    readyMs: call.nowMs + call.settings.copyMs,
    volumeId: noVolume,
    sizeGiB: source.sizeGiB,
    description,
    isEncrypted,
    kmsKeyId,
    failure: call.takeFailure(source.id) ?? kmsFailure(call, askedKey, kmsKeyId),
    tags,
  };
  call.region.snapshots.set(snapshot.id, snapshot);
  return [leaf("snapshotId", snapshot.id), writeTags(tags)];
};

function checkCompletionDuration(minutes: number | undefined): void {
  if (minutes === undefined) return;
  if (minutes >= 15 && minutes <= 2880 && minutes % 15 === 0) return;
  throw invalidValue(
    `Value (${minutes}) for parameter completionDurationMinutes is invalid. It must be between 15 and 2880, in increments of 15.`,
  );
}

/** EC2 takes twenty copies at once for each destination region of an account. */
function checkConcurrentCopies({ region, account, nowMs, settings: { maxConcurrentCopies } }: Call): void {
  const owner = accountIdOf(account);
  const pending = [...region.snapshots.values()].filter(
    (one) => one.volumeId === noVolume && one.ownerId === owner && snapshotState(one, nowMs) === "pending",
  );
  if (pending.length < maxConcurrentCopies) return;
  throw new Ec2Error(
    "ResourceLimitExceeded",
    `You have exceeded the number of in-progress snapshot copies allowed per destination region (${maxConcurrentCopies}).`,
  );
}

/** DescribeSnapshotAttribute: who may create volumes from it. */
export const describeSnapshotAttribute: Handler = (call) => {
  const snapshot = findOwnSnapshot(call, call.params.required("SnapshotId"));
  const attribute = call.params.required("Attribute");
  endDryRun(call);
  if (attribute === "productCodes") return [leaf("snapshotId", snapshot.id), element("productCodes", [])];
  if (attribute !== "createVolumePermission")
    throw invalidValue(`Value (${attribute}) for parameter attribute is invalid.`);
  const items = snapshot.sharedWith.map((account) =>
    element("item", [account === "all" ? leaf("group", account) : leaf("userId", account)]),
  );
  return [leaf("snapshotId", snapshot.id), element("createVolumePermission", items)];
};

/** ModifySnapshotAttribute: shares a snapshot, or ends that. */
export const modifySnapshotAttribute: Handler = (call) => {
  const { params } = call;
  const snapshot = findOwnSnapshot(call, params.required("SnapshotId"));
  const named = (what: "Add" | "Remove"): readonly string[] =>
    params.structures(`CreateVolumePermission.${what}`).map((one) => one.text("UserId") ?? one.required("Group"));
  const plain = [...params.list("UserId"), ...params.list("UserGroup")];
  const operation = params.text("OperationType");
  const added = [...named("Add"), ...(operation === "add" ? plain : [])];
  const removed = [...named("Remove"), ...(operation === "remove" ? plain : [])];
  if (added.some((account) => account !== "all" && !/^\d{12}$/.test(account))) {
    throw new Ec2Error("InvalidUserID.Malformed", "The user ID is malformed.");
  }
  if (snapshot.isEncrypted && added.includes("all")) {
    throw invalidValue("Encrypted snapshots cannot be shared publicly");
  }
  endDryRun(call);
  const sharedWith = [...new Set([...snapshot.sharedWith, ...added])].filter((account) => !removed.includes(account));
  call.region.snapshots.set(snapshot.id, { ...snapshot, sharedWith });
  return [leaf("return", true)];
};

/** ModifySnapshotTier: archives a snapshot. */
export const modifySnapshotTier: Handler = (call) => {
  const snapshot = findOwnSnapshot(call, call.params.required("SnapshotId"));
  const tier = call.params.text("StorageTier") ?? "archive";
  if (tier !== "archive") throw invalidValue(`Value (${tier}) for parameter storageTier is invalid.`);
  if (snapshotState(snapshot, call.nowMs) !== "completed" || snapshot.tier === "archive") {
    throw new Ec2Error(
      "IncorrectState",
      `The snapshot '${snapshot.id}' is not in a state in which it can be archived.`,
    );
  }
  endDryRun(call);
  call.region.snapshots.set(snapshot.id, { ...snapshot, tier });
  return [leaf("snapshotId", snapshot.id), leaf("tieringStartTime", new Date(call.nowMs).toISOString())];
};

/** RestoreSnapshotTier: brings a snapshot back from the archive, at once. */
export const restoreSnapshotTier: Handler = (call) => {
  const snapshot = findOwnSnapshot(call, call.params.required("SnapshotId"));
  if (snapshot.tier !== "archive") {
    throw new Ec2Error("IncorrectState", `The snapshot '${snapshot.id}' is not archived.`);
  }
  endDryRun(call);
  call.region.snapshots.set(snapshot.id, { ...snapshot, tier: "standard" });
  return [leaf("snapshotId", snapshot.id), leaf("restoreStartTime", new Date(call.nowMs).toISOString())];
};

function freshSnapshot(
  call: Call,
): Pick<Snapshot, "id" | "ownerId" | "startedMs" | "readyMs" | "tier" | "sharedWith" | "imageId"> {
  return {
    id: newId("snap"),
    ownerId: accountIdOf(call.account),
    startedMs: call.nowMs,
    readyMs: call.nowMs + call.settings.pendingMs,
    tier: "standard",
    sharedWith: [],
    imageId: undefined,
  };
}

function readDescription(call: Call): string {
  const description = call.params.text("Description") ?? "";
  if (description.length <= maxDescription) return description;
  throw invalidValue(`Value for parameter description is too long; the maximum is ${maxDescription} characters.`);
}

function isAskedFor(call: Call, snapshot: Snapshot): boolean {
  const self = accountIdOf(call.account);
  const owners = call.params.list("Owner").map((owner) => (owner === "self" ? self : owner));
  const restorers = call.params.list("RestorableBy").map((who) => (who === "self" ? self : who));
  const isOwned = owners.length === 0 || owners.includes(snapshot.ownerId);
  const isShared =
    restorers.length === 0 || restorers.some((who) => snapshot.sharedWith.includes(who) || snapshot.ownerId === who);
  return isOwned && isShared;
}

function writeSnapshot(snapshot: Snapshot, nowMs: number): readonly string[] {
  const state = snapshotState(snapshot, nowMs);
  return [
    leaf("snapshotId", snapshot.id),
    leaf("volumeId", snapshot.volumeId),
    leaf("status", state),
    leaf("statusMessage", state === "error" ? snapshot.failure : undefined),
    leaf("startTime", new Date(snapshot.startedMs).toISOString()),
    leaf("completionTime", state === "completed" ? new Date(snapshot.readyMs).toISOString() : undefined),
    leaf("progress", nowMs < snapshot.startedMs ? "" : `${snapshotProgress(snapshot, nowMs)}%`),
    leaf("ownerId", snapshot.ownerId),
    leaf("volumeSize", snapshot.sizeGiB),
    leaf("description", snapshot.description),
    writeTags(snapshot.tags),
    leaf("encrypted", snapshot.isEncrypted),
    leaf("kmsKeyId", snapshot.kmsKeyId),
    leaf("storageTier", snapshot.tier),
  ];
}
