import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PluginError, printJson } from "@flotilla/sdk/plugin";

import { backupLog } from "../backup-layout/backup-log.ts";
import { backupObject } from "../backup-layout/backup-object.ts";
import { gzipText } from "../backup-layout/gzip.ts";
import { backupKeys } from "../backup-layout/keys.ts";
import type { BackupKeys } from "../backup-layout/keys.ts";
import { sideObjects } from "../backup-layout/side-objects.ts";
import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { prepareSource } from "./backup-source.ts";
import type { BackupSource } from "./backup-source.ts";
import { deleteTaken, snapshotVolumes } from "./snapshot-volumes.ts";
import type { SnapshottedVolumes } from "./snapshot-volumes.ts";
import { describeIfPossible, printChecksum } from "./stored-backup.ts";

/** What to back up. */
export interface CreateRequest {
  readonly name: string;
  /** A folder of manifests or a Velero tarball. */
  readonly from: string;
  /** 720, a month, as the server's default. */
  readonly ttlHours?: number;
}

/** An object as it was stored. */
interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  /** What the store recorded; `-` where nothing, or where the plugin cannot tell. */
  readonly checksum: string;
}

/** A backup as it was made. */
export interface CreatedBackup {
  readonly name: string;
  readonly bucket: string;
  readonly items: number;
  readonly objects: readonly StoredObject[];
  readonly snapshots: readonly {
    readonly persistentVolume: string;
    readonly volumeId: string;
    readonly volumeType: string;
    readonly volumeAz: string;
    readonly snapshotId: string;
  }[];
  readonly volumesPassedOver: readonly string[];
  readonly durationMs: number;
}

interface Upload {
  readonly key: string;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Makes a backup in the server's layout and order. A failure leaves neither half a backup nor its snapshots. */
export async function createBackup(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  request: CreateRequest,
): Promise<CreatedBackup> {
  const startedAt = session.context.now();
  const clock = performance.now();
  const keys = backupKeys(store.location.prefix, request.name);
  await refuseExisting(session, store, keys);
  const workFolder = await mkdtemp(join(tmpdir(), "flotilla-backup-"));
  try {
    const { signal } = session.context;
    const source = await prepareSource(request.from, { workFolder, now: startedAt, signal });
    const identity = { name: request.name, uid: randomUUID() };
    const snapshots =
      volumes === undefined
        ? { taken: [], passedOver: [] }
        : await snapshotVolumes(session, volumes, { ...identity, resources: source.resources });
    try {
      const plan = { ...identity, startedAt, ttlHours: request.ttlHours ?? 720, keys, source, snapshots };
      const objects = await storeAll(session, store, await planUploads(session, store, volumes, plan));
      return {
        name: request.name,
        bucket: store.location.bucket,
        items: source.resources.length,
        objects,
        snapshots: snapshots.taken.map(({ record }) => ({
          persistentVolume: record.persistentVolumeName,
          volumeId: record.volumeId,
          volumeType: record.volumeType,
          volumeAz: record.volumeAz,
          snapshotId: record.snapshotId,
        })),
        volumesPassedOver: snapshots.passedOver,
        durationMs: Math.round(performance.now() - clock),
      };
    } catch (error) {
      await deleteTaken(session, volumes, snapshots.taken);
      throw error;
    }
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** The result of a creation for people and for JSON. */
export function reportCreated(created: CreatedBackup): Report {
  const rows = created.objects.map(({ key, bytes, checksum }) => [key, formatBytes(bytes), checksum]);
  const volumes = created.snapshots.map((snapshot) => [
    snapshot.persistentVolume,
    snapshot.volumeId,
    snapshot.snapshotId,
  ]);
  const summary = `backup ${created.name}: ${created.items} resources, ${created.objects.length} objects in bucket ${created.bucket}, ${created.snapshots.length} snapshots, ${formatDuration(created.durationMs)}\n`;
  const passedOver =
    created.volumesPassedOver.length === 0
      ? ""
      : `not snapshotted, since the plugin does not know them: ${created.volumesPassedOver.join(", ")}\n`;
  const snapshotTable =
    volumes.length === 0 ? "" : `\n${formatTable(["persistent volume", "volume", "snapshot"], volumes)}`;
  return {
    json: created,
    text: `${formatTable(["object", "size", "checksum"], rows)}${snapshotTable}\n${passedOver}${summary}`,
  };
}

async function refuseExisting(session: Session, { client, location }: OpenedStore, keys: BackupKeys): Promise<void> {
  if (!(await client.objectExists({ bucket: location.bucket, key: keys.metadata }, session.call))) return;
  throw new PluginError(
    `backup already exists in object storage: ${keys.metadata} in bucket ${location.bucket}; choose another name, or delete it first`,
    { kind: "conflict" },
  );
}

interface BackupPlan {
  readonly name: string;
  readonly uid: string;
  readonly startedAt: Date;
  readonly ttlHours: number;
  readonly keys: BackupKeys;
  readonly source: BackupSource;
  readonly snapshots: SnapshottedVolumes;
}

interface UploadPlan {
  readonly log: Upload;
  readonly metadata: Upload;
  readonly contents: Upload;
  readonly sides: readonly Upload[];
}

async function planUploads(
  session: Session,
  store: OpenedStore,
  volumes: OpenedVolumes | undefined,
  plan: BackupPlan,
): Promise<UploadPlan> {
  const { keys, source, snapshots } = plan;
  const completedAt = session.context.now();
  const summary = {
    ...plan,
    completedAt,
    storageLocation: store.location.name,
    volumeLocation: volumes?.location.name,
    itemCount: source.resources.length,
    snapshotsAttempted: snapshots.taken.length,
    snapshotsCompleted: snapshots.taken.length,
  };
  const log = await gzipText(backupLog(summary, snapshots, session.pluginLines));
  const sides = await sideObjects(keys, { resources: source.resources, snapshots: snapshots.taken });
  return {
    log: fromBytes(keys.log, log),
    metadata: fromBytes(keys.metadata, Buffer.from(printJson(backupObject(summary)))),
    contents: { key: keys.contents, open: () => createReadStream(source.tarball) },
    sides: [...sides].map(([key, bytes]) => fromBytes(key, bytes)),
  };
}

/** In the server's order, and with its clean-up: what follows the log is there whole, or not at all. */
async function storeAll(session: Session, store: OpenedStore, plan: UploadPlan): Promise<readonly StoredObject[]> {
  const stored: Omit<StoredObject, "checksum">[] = [];
  const essential: string[] = [];
  try {
    for (const upload of [plan.log, plan.metadata, plan.contents, ...plan.sides]) {
      stored.push(await storeObject(session, store, upload));
      essential.unshift(upload.key);
    }
  } catch (error) {
    for (const key of essential) {
      await store.client.deleteObject({ bucket: store.location.bucket, key }).catch((fault: unknown) => {
        session.progress.note(`${key} is left behind, delete it: ${String(fault)}`);
      });
    }
    throw error;
  }
  const described = stored.map(async (object) => ({
    ...object,
    checksum: printChecksum(await describeIfPossible(session, store, object.key)),
  }));
  return await Promise.all(described);
}

async function storeObject(
  session: Session,
  { client, location }: OpenedStore,
  { key, open }: Upload,
): Promise<Omit<StoredObject, "checksum">> {
  const hash = createHash("sha256");
  const transfer = session.progress.begin(`storing ${key}`);
  async function* hashed(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of transfer.pass(open())) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await client.putObject({ bucket: location.bucket, key }, hashed(), session.call);
  return { key, bytes: transfer.done(`stored ${key}`), sha256: hash.digest("hex") };
}

function fromBytes(key: string, bytes: Uint8Array): Upload {
  return {
    key,
    open: async function* single() {
      yield bytes;
    },
  };
}
