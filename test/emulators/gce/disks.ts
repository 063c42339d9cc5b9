import { checkKnown, readBody, readNumber, readText } from "./call.ts";
import type { Call, Handler, KnownFields } from "./call.ts";
import { checkType } from "./disk-types.ts";
import { readKmsKey } from "./encryption.ts";
import { alreadyExists, GceError, invalidField, notFound, notReady } from "./gce-error.ts";
import { readLabels } from "./labels.ts";
import { diskPath, diskStatus, snapshotPath, snapshotStatus } from "./model.ts";
import type { Disk, Snapshot } from "./model.ts";
import { readDescription, readName } from "./names.ts";
import { begin } from "./operations.ts";
import { pathOf, regionOf } from "./place.ts";
import { checkDiskQuota } from "./quotas.ts";
import { writeDisk } from "./write-resource.ts";

type Body = Readonly<Record<string, unknown>>;

const kept = ["accessMode", "architecture", "enableConfidentialCompute", "guestOsFeatures", "licenses", "params"];
const known: KnownFields = {
  used: [
    ...kept,
    "name",
    "description",
    "labels",
    "sizeGb",
    "type",
    "sourceSnapshot",
    "replicaZones",
    "provisionedIops",
    "provisionedThroughput",
    "diskEncryptionKey",
    "physicalBlockSizeBytes",
  ],
  written: [
    "kind",
    "id",
    "creationTimestamp",
    "zone",
    "region",
    "status",
    "selfLink",
    "selfLinkWithId",
    "labelFingerprint",
    "sourceSnapshotId",
    "lastAttachTimestamp",
    "lastDetachTimestamp",
    "users",
    "licenseCodes",
    "resourceStatus",
    "satisfiesPzi",
    "satisfiesPzs",
  ],
  unsupported: [
    "asyncPrimaryDisk",
    "asyncSecondaryDisks",
    "sourceDisk",
    "sourceImage",
    "sourceInstantSnapshot",
    "sourceSnapshotEncryptionKey",
    "sourceStorageObject",
    "storagePool",
    "resourcePolicies",
    "locationHint",
    "options",
  ],
};

/** disks.get, regionDisks.get. */
export const getDisk: Handler = (call) => ({ json: writeDisk(findDisk(call, "compute.disks.get"), call.nowMs) });

/** disks.insert, regionDisks.insert. */
export const insertDisk: Handler = (call) => {
  const body = readBody(call);
  checkKnown(body, known);
  const place = placeOf(call);
  const name = readName(body);
  const path = diskPath({ project: call.project, place, name });
  call.permit("compute.disks.create", path);
  const labels = readLabels(body["labels"]);
  if (Object.keys(labels).length > 0) call.permit("compute.disks.setLabels", path);
  const source = readSource(call, body);
  const type = readType(call, body, place.kind);
  const sizeGb = readSize(body, source);
  const asked = { iops: readNumber(body, "provisionedIops"), throughput: readNumber(body, "provisionedThroughput") };
  const performance = checkType(place.kind, type, sizeGb, asked);
  const replicaZones = readReplicaZones(call, body, place);
  const kmsKeyName = readKmsKey(call, body, "diskEncryptionKey");
  if (call.state.disks.has(path)) throw alreadyExists(path);
  const region = place.kind === "zone" ? regionOf(place.name) : place.name;
  const quota = checkDiskQuota(call, region, type, sizeGb);
  const sourcePath = source === undefined ? undefined : snapshotPath(source);
  const failure = quota ?? call.takeFailure([path, sourcePath]);
  const id = call.state.nextId();
  // A disk whose operation fails never was.
  if (failure === undefined) {
    call.state.disks.set(path, {
      project: call.project,
      place,
      name,
      id,
      ...readDescription(body),
      labels,
      type,
      sizeGb,
      ...performance,
      replicaZones,
      ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
      ...(source === undefined || sourcePath === undefined ? {} : { source: { path: sourcePath, id: source.id } }),
      users: [],
      rest: Object.fromEntries(kept.filter((field) => field in body).map((field) => [field, body[field]])),
      createdMs: call.nowMs,
      readyMs: call.nowMs + call.settings.pendingMs,
    });
  }
  return begin(call, { type: "insert", target: path, targetId: id, failure });
};

/** disks.delete, regionDisks.delete. */
export const deleteDisk: Handler = (call) => {
  const disk = findDisk(call, "compute.disks.delete");
  const path = diskPath(disk);
  const [user] = disk.users;
  if (user !== undefined) {
    throw new GceError(
      400,
      "resourceInUseByAnotherResource",
      `The disk resource '${path}' is already being used by '${user}'`,
    );
  }
  if (diskStatus(disk, call.nowMs) === "DELETING") throw notReady(path);
  const failure = call.takeFailure([path]);
  if (failure === undefined) call.state.disks.set(path, { ...disk, goneMs: call.nowMs + call.settings.pendingMs });
  return begin(call, { type: "delete", target: path, targetId: disk.id, failure });
};

/** Returns the disk that is asked for. Whether it exists is told only to who may do what is asked: AIP-211. */
export function findDisk(call: Call, permission: string): Disk {
  const path = diskPath({ project: call.project, place: placeOf(call), name: call.name });
  call.permit(permission, path);
  const disk = call.state.disks.get(path);
  if (disk === undefined) throw notFound(path);
  return disk;
}

function placeOf({ place }: Call): Disk["place"] {
  if (place.kind === "global") throw new Error("disks are in zones and regions");
  return place;
}

function readSource(call: Call, body: Body): Snapshot | undefined {
  const link = readText(body, "sourceSnapshot");
  if (link === undefined) return undefined;
  const path = pathOf(link, call.project);
  if (path === undefined || !path.includes("/global/snapshots/")) {
    throw invalidField("resource.sourceSnapshot", link, "The URL is malformed.");
  }
  call.permit("compute.snapshots.useReadOnly", path);
  const snapshot = call.state.snapshots.get(path);
  if (snapshot === undefined) throw notFound(path);
  if (snapshotStatus(snapshot, call.nowMs) !== "READY") throw notReady(path);
  call.regions.checkStored(snapshot.storageLocation);
  return snapshot;
}

function readType(call: Call, body: Body, kind: "zone" | "region"): string {
  const link = readText(body, "type");
  if (link === undefined) return "pd-standard";
  const path = pathOf(link, call.project);
  const [, project, place, type = ""] =
    /^projects\/([^/]+)\/((?:zones|regions)\/[^/]+)\/diskTypes\/([^/]+)$/.exec(path ?? "") ?? [];
  if (project === undefined) throw invalidField("resource.type", link, "The URL is malformed.");
  if (project !== call.project) {
    throw invalidField("resource.type", link, "Cross project referencing is not allowed for this resource.");
  }
  const here = `${kind}s/${placeOf(call).name}`;
  if (place !== here)
    throw invalidField("resource.type", link, `The disk type must be of the same ${kind} as the disk.`);
  if (!call.regions.hasDiskType(call.place, type)) throw notFound(`projects/${call.project}/${here}/diskTypes/${type}`);
  return type;
}

function readSize(body: Body, source: Snapshot | undefined): number {
  const asked = readNumber(body, "sizeGb");
  if (source === undefined) return asked ?? 500;
  if (asked === undefined || asked >= source.sizeGb) return asked ?? source.sizeGb;
  throw invalidField(
    "resource.sizeGb",
    String(asked),
    `Requested disk size cannot be smaller than the snapshot size (${source.sizeGb} GB)`,
  );
}

function readReplicaZones(call: Call, body: Body, place: Disk["place"]): readonly string[] {
  const value = body["replicaZones"];
  if (place.kind === "zone") {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    throw invalidField("resource.replicaZones", value, "Replica zones are of regional disks only.");
  }
  const zones = (Array.isArray(value) ? value : []).map((link: unknown) => {
    const [, project, zone] = /^projects\/([^/]+)\/zones\/([^/]+)$/.exec(pathOfZone(link, call.project)) ?? [];
    if (zone === undefined || project !== call.project || !call.regions.zonesOf(place.name).includes(zone)) {
      throw invalidField("resource.replicaZones", link, `Not a zone of the region ${place.name}.`);
    }
    return zone;
  });
  if (new Set(zones).size === 2 && zones.length === 2) return zones;
  throw invalidField("resource.replicaZones", value, "Exactly two different replica zones must be specified.");
}

function pathOfZone(link: unknown, project: string): string {
  if (typeof link !== "string") return "";
  return pathOf(link, project) ?? (link.startsWith("zones/") ? `projects/${project}/${link}` : "");
}
