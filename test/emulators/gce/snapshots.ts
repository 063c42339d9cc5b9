import { checkKnown, readBody, readText } from "./call.ts";
import type { Call, Handler, KnownFields, PlannedFailure } from "./call.ts";
import { findDisk } from "./disks.ts";
import { readKmsKey } from "./encryption.ts";
import { alreadyExists, GceError, invalidField, notFound, notReady } from "./gce-error.ts";
import { readLabels } from "./labels.ts";
import { diskPath, diskStatus, snapshotPath, snapshotStatus } from "./model.ts";
import type { Disk, Operation, Snapshot } from "./model.ts";
import { readDescription, readName } from "./names.ts";
import { begin } from "./operations.ts";
import { pathOf, regionOf } from "./place.ts";
import type { Place } from "./place.ts";
import { checkSnapshotQuota } from "./quotas.ts";
import { multiRegionOf } from "./regions.ts";
import { writeSnapshot } from "./write-resource.ts";

type Body = Readonly<Record<string, unknown>>;

const kept = ["locationHint", "chainName"];
const known: KnownFields = {
  used: [
    ...kept,
    "name",
    "description",
    "labels",
    "storageLocations",
    "snapshotType",
    "snapshotEncryptionKey",
    "sourceDisk",
  ],
  written: [
    "kind",
    "id",
    "creationTimestamp",
    "status",
    "selfLink",
    "labelFingerprint",
    "sourceDiskId",
    "diskSizeGb",
    "storageBytes",
    "storageBytesStatus",
    "downloadBytes",
    "creationSizeBytes",
    "autoCreated",
    "licenses",
    "licenseCodes",
    "guestOsFeatures",
    "architecture",
    "enableConfidentialCompute",
    "satisfiesPzi",
    "satisfiesPzs",
  ],
  unsupported: ["sourceDiskEncryptionKey", "sourceInstantSnapshot", "sourceDiskForRecoveryCheckpoint", "params"],
};

/** snapshots.get. */
export const getSnapshot: Handler = (call) => ({
  json: writeSnapshot(findSnapshot(call, "compute.snapshots.get"), call.nowMs),
});

/** disks.createSnapshot, regionDisks.createSnapshot. */
export const createSnapshot: Handler = (call) => {
  const body = readBody(call);
  permitNew(call, body);
  return make(call, findDisk(call, "compute.disks.createSnapshot"), body, {
    type: "createSnapshot",
    place: call.place,
  });
};

/** snapshots.insert. */
export const insertSnapshot: Handler = (call) => {
  const body = readBody(call);
  permitNew(call, body);
  const link = readText(body, "sourceDisk");
  if (link === undefined) throw new GceError(400, "required", "Required field 'resource.sourceDisk' not specified");
  const path = pathOf(link, call.project);
  const disk = path === undefined ? undefined : call.state.disks.get(path);
  if (path === undefined || !path.includes("/disks/")) {
    throw invalidField("resource.sourceDisk", link, "The URL is malformed.");
  }
  call.permit("compute.disks.createSnapshot", path);
  if (disk === undefined) throw notFound(path);
  call.regions.check(disk.place);
  return make(call, disk, body, { type: "insert", place: { kind: "global" } });
};

/** snapshots.delete. */
export const deleteSnapshot: Handler = (call) => {
  const snapshot = findSnapshot(call, "compute.snapshots.delete");
  const path = snapshotPath(snapshot);
  const status = snapshotStatus(snapshot, call.nowMs);
  if (status === "DELETING" || status === "CREATING") throw notReady(path);
  const user = [...call.state.disks.values()].find(
    (disk) => disk.source?.id === snapshot.id && diskStatus(disk, call.nowMs) === "RESTORING",
  );
  if (user !== undefined) {
    throw new GceError(
      400,
      "resourceInUseByAnotherResource",
      `The snapshot resource '${path}' is already being used by '${diskPath(user)}'`,
    );
  }
  const failure = call.takeFailure([path]);
  if (failure === undefined) {
    call.state.snapshots.set(path, { ...snapshot, goneMs: call.nowMs + call.settings.pendingMs });
  }
  return begin(call, { type: "delete", target: path, targetId: snapshot.id, failure });
};

/** Returns the snapshot that is asked for. Whether it exists is told only to who may do what is asked: AIP-211. */
export function findSnapshot(call: Call, permission: string): Snapshot {
  const path = snapshotPath(call);
  call.permit(permission, path);
  const snapshot = call.state.snapshots.get(path);
  if (snapshot === undefined) throw notFound(path);
  return snapshot;
}

function make(
  call: Call,
  disk: Disk,
  body: Body,
  operation: { readonly type: string; readonly place: Place },
): Operation {
  const wanted = readWanted(call, disk, body);
  const path = snapshotPath(wanted);
  const source = diskPath(disk);
  if (diskStatus(disk, call.nowMs) !== "READY") throw notReady(source);
  if (call.state.snapshots.has(path)) throw alreadyExists(path);
  const quota = checkSnapshotQuota(call);
  const planned = quota === undefined ? call.takeFailure([path, source]) : undefined;
  const id = call.state.nextId();
  // One for which there is no room never was; one that fails stays, as a failed one.
  if (quota === undefined) call.state.snapshots.set(path, { ...wanted, id, ...timesOf(call, planned) });
  const failure = quota ?? (planned?.at === "operation" ? planned : undefined);
  const isInsert = operation.type === "insert";
  return begin(call, { ...operation, target: isInsert ? path : source, targetId: isInsert ? id : disk.id, failure });
}

function permitNew(call: Call, body: Body): void {
  const path = snapshotPath({ project: call.project, name: readName(body) });
  call.permit("compute.snapshots.create", path);
  if (Object.keys(readLabels(body["labels"])).length > 0) call.permit("compute.snapshots.setLabels", path);
}

function readWanted(call: Call, disk: Disk, body: Body): Omit<Snapshot, "id" | keyof ReturnType<typeof timesOf>> {
  checkKnown(body, known);
  const { project } = call;
  const name = readName(body);
  const source = diskPath(disk);
  const labels = readLabels(body["labels"]);
  // A snapshot of a disk with a key is encrypted with the same one unless another is named.
  const kmsKeyName = readKmsKey(call, body, "snapshotEncryptionKey") ?? disk.kmsKeyName;
  return {
    project,
    name,
    ...readDescription(body),
    storageLocation: readLocation(call, body, disk),
    type: readType(body),
    labels,
    source: { path: source, id: disk.id },
    sizeGb: disk.sizeGb,
    ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
    rest: Object.fromEntries(kept.filter((field) => field in body).map((field) => [field, body[field]])),
  };
}

function timesOf(
  { nowMs, settings }: Call,
  planned: PlannedFailure | undefined,
): Pick<Snapshot, "createdMs" | "uploadMs" | "readyMs" | "failure"> {
  return {
    createdMs: nowMs,
    uploadMs: nowMs + settings.pendingMs / 2,
    readyMs: nowMs + settings.pendingMs + (planned?.at === "operation" ? 0 : settings.uploadMs),
    ...(planned === undefined ? {} : { failure: planned }),
  };
}

function readLocation(call: Call, body: Body, disk: Disk): string {
  const value = body["storageLocations"] ?? [];
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (all.length > 1) throw invalidField("resource.storageLocations", value, "At most one location can be specified.");
  const [location] = all;
  if (location === undefined)
    return multiRegionOf(disk.place.kind === "zone" ? regionOf(disk.place.name) : disk.place.name);
  if (typeof location === "string" && call.regions.canStore(location)) return location;
  throw invalidField("resource.storageLocations", location, "The location is not available.");
}

function readType(body: Body): string {
  const type = readText(body, "snapshotType") ?? "STANDARD";
  if (type === "STANDARD" || type === "ARCHIVE") return type;
  throw invalidField("resource.snapshotType", type, "Must be one of [ARCHIVE, STANDARD].");
}
