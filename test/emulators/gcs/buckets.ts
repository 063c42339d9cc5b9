import { setting, settingOf } from "./bucket-settings.ts";
import type { Bucket, BucketConfig } from "./bucket.ts";
import { readJson } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkKmsKey } from "./encryption.ts";
import { conditionNotMet, GcsError, invalid, required } from "./gcs-error.ts";
import { readStorageClass } from "./settings.ts";

type Json = Readonly<Record<string, unknown>>;

/** buckets.get. */
export function getBucket(call: Call): Answer {
  const bucket = call.state.bucket(call.bucketName);
  checkMetageneration(call, bucket);
  return { json: writeBucket(call, bucket) };
}

/** buckets.list. */
export function listBuckets(call: Call): Answer {
  const projectId = call.query.get("project");
  if (projectId === undefined) throw required("project");
  const prefix = call.query.get("prefix") ?? "";
  const all = call.state
    .buckets()
    .filter(({ config }) => config.projectId === projectId && config.name.startsWith(prefix));
  const items = all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((bucket) => writeBucket(call, bucket));
  return { json: { kind: "storage#buckets", ...(items.length === 0 ? {} : { items }) } };
}

/** buckets.insert. */
export async function insertBucket(call: Call): Promise<Answer> {
  const projectId = call.query.get("project");
  if (projectId === undefined) throw required("project");
  const resource = await readJson(call);
  const name = resource["name"];
  if (typeof name !== "string") throw required("name");
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(name) || name.startsWith("goog") || name.includes("..")) {
    throw invalid(`Invalid bucket name: '${name}'`);
  }
  const location = resource["location"];
  const config = newBucket(name, projectId, typeof location === "string" ? location : "US", call.now);
  return { json: writeBucket(call, call.state.createBucket({ ...config, ...readChanges(call, resource) })) };
}

/** Makes the settings of a bucket of which only name, project and location are known. */
export function newBucket(name: string, projectId: string, location: string, now: Date): BucketConfig {
  const created = now.toISOString();
  return {
    name,
    projectId,
    location: location.toUpperCase(),
    storageClass: "STANDARD",
    isVersioned: false,
    retentionSeconds: 0,
    defaultEventBasedHold: false,
    labels: {},
    created,
    updated: created,
    metageneration: 1,
  };
}

/** buckets.patch. */
export async function patchBucket(call: Call): Promise<Answer> {
  const resource = await readJson(call);
  const bucket = call.state.bucket(call.bucketName);
  checkMetageneration(call, bucket);
  const changes = readChanges(call, resource);
  const metageneration = bucket.config.metageneration + 1;
  bucket.configure({ ...changes, metageneration, updated: call.now.toISOString() });
  return { json: writeBucket(call, bucket) };
}

/** buckets.delete. */
export function deleteBucket(call: Call): Answer {
  const bucket = call.state.bucket(call.bucketName);
  checkMetageneration(call, bucket);
  if (!bucket.objects.isEmpty) {
    throw new GcsError(409, "conflict", "The bucket you tried to delete is not empty.", { xmlCode: "BucketNotEmpty" });
  }
  call.state.deleteBucket(bucket);
  return { status: 204 };
}

/** buckets.testIamPermissions: those of the permissions that the caller has. */
export function testPermissions(call: Call, asked: readonly string[]): Answer {
  call.state.bucket(call.bucketName);
  const held = asked.filter((permission) => {
    try {
      call.permit(permission, call.bucketName);
      return true;
    } catch {
      return false;
    }
  });
  const permissions = held.length === 0 ? {} : { permissions: held };
  return { json: { kind: "storage#testIamPermissionsResponse", ...permissions } };
}

function readChanges(call: Call, resource: Json): Partial<BucketConfig> {
  const storageClass = readStorageClass(resource["storageClass"]);
  const enabled = settingOf(resource, "versioning", "enabled");
  const seconds = settingOf(resource, "retentionPolicy", "retentionPeriod");
  const kms = settingOf(resource, "encryption", "defaultKmsKeyName");
  if (typeof kms === "string") checkKmsKey(call, kms);
  const { defaultEventBasedHold, labels } = resource;
  return {
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(typeof enabled === "boolean" ? { isVersioned: enabled } : {}),
    ...setting("retentionSeconds", "retentionPolicy" in resource, Number(seconds ?? 0)),
    ...(typeof defaultEventBasedHold === "boolean" ? { defaultEventBasedHold } : {}),
    ...(typeof kms === "string" ? { defaultKmsKeyName: kms } : {}),
    // Labels are texts; what is none was refused by the client's own types.
    ...(typeof labels === "object" && labels !== null ? { labels: { ...labels } } : {}),
  };
}

function checkMetageneration(call: Call, bucket: Bucket): void {
  const wanted = call.query.get("ifMetagenerationMatch");
  if (wanted !== undefined && wanted !== String(bucket.config.metageneration)) throw conditionNotMet();
}

function writeBucket(call: Call, { config }: Bucket): Json {
  return {
    kind: "storage#bucket",
    id: config.name,
    selfLink: `${call.origin}/storage/v1/b/${config.name}`,
    name: config.name,
    projectNumber: "123456789012",
    metageneration: String(config.metageneration),
    location: config.location,
    locationType: config.location.includes("-") ? "region" : "multi-region",
    storageClass: config.storageClass,
    etag: Buffer.from(`bucket/${config.metageneration}`).toString("base64"),
    timeCreated: config.created,
    updated: config.updated,
    labels: Object.keys(config.labels).length === 0 ? undefined : config.labels,
    versioning: config.isVersioned ? { enabled: true } : undefined,
    retentionPolicy:
      config.retentionSeconds === 0
        ? undefined
        : { retentionPeriod: String(config.retentionSeconds), effectiveTime: config.updated, isLocked: false },
    defaultEventBasedHold: config.defaultEventBasedHold ? true : undefined,
    encryption: config.defaultKmsKeyName === undefined ? undefined : { defaultKmsKeyName: config.defaultKmsKeyName },
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" },
  };
}
