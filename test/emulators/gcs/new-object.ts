import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import { checkConditions } from "./conditions.ts";
import type { Conditions } from "./conditions.ts";
import { GcsError } from "./gcs-error.ts";
import type { Hashes } from "./hashes.ts";
import { retainedUntil } from "./object-meta.ts";
import type { ObjectEncryption, ObjectMeta, ObjectSettings } from "./object-meta.ts";

/** What a writer says of a new object, with its content. */
export interface NewObject extends ObjectSettings, ObjectEncryption {
  readonly name: string;
  readonly size: number;
  readonly crc32c: Hashes["crc32c"];
  readonly md5Hash?: Hashes["md5Hash"];
  readonly storageClass?: string | undefined;
  readonly componentCount?: number;
}

/** Makes content visible as a new generation, where the conditions hold and nothing protects what it replaces. */
export function publishObject(
  call: Call,
  bucket: Bucket,
  content: NewObject,
  options: { readonly conditions: Conditions; readonly folder: string },
): ObjectMeta {
  const existing = bucket.live(content.name);
  checkConditions(options.conditions, existing, "write");
  checkOverwrite(call, bucket, existing);
  const { name, storageClass = bucket.config.storageClass, ...rest } = content;
  const generation = call.state.nextGeneration();
  const now = call.now.toISOString();
  const meta: ObjectMeta = {
    contentType: "application/octet-stream",
    ...(bucket.config.defaultEventBasedHold ? { eventBasedHold: true } : {}),
    ...rest,
    key: name,
    versionId: String(generation),
    sequence: generation,
    metageneration: 1,
    storageClass,
    created: now,
    updated: now,
  };
  bucket.publish(meta, options.folder);
  return meta;
}

/** Refuses to replace an object that is protected, or that the caller may not delete. */
function checkOverwrite(call: Call, bucket: Bucket, existing: ObjectMeta | undefined): void {
  if (existing === undefined) return;
  call.permit("storage.objects.delete", bucket.name);
  // With versions the protected generation stays and a new one comes beside it.
  if (!bucket.config.isVersioned) checkUnprotected(call, bucket, existing);
}

/** Refuses to end a generation that a hold or the bucket's retention protects. */
export function checkUnprotected(call: Call, bucket: Bucket, meta: ObjectMeta): void {
  const what = `Object '${bucket.name}/${meta.key}'`;
  const holds = [
    ["Temporary", meta.temporaryHold],
    ["Event-Based", meta.eventBasedHold],
  ] as const;
  for (const [kind, isHeld] of holds) {
    if (isHeld !== true) continue;
    throw new GcsError(
      403,
      "objectUnderActiveHold",
      `${what} is under active ${kind} hold and cannot be deleted, overwritten or archived until hold is removed.`,
    );
  }
  const until = retainedUntil(meta, bucket.config.retentionSeconds);
  if (until === undefined || Date.parse(until) <= call.now.getTime()) return;
  throw new GcsError(
    403,
    "retentionPolicyNotMet",
    `${what} is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until}`,
  );
}
