import { tryCopy } from "@flotilla/sdk/objects";
import { advice, failure, findingsOf, isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import type { GcsCopyPlace } from "./gcs-copy-place.ts";
import type { GcsLocation } from "./gcs-location.ts";

/** Tries what each copyTo target needs: the permissions of a location, and a copy of an object. */
export async function* checkCopies(
  origin: GcsLocation,
  places: readonly GcsCopyPlace[],
  call: Call,
): AsyncGenerator<Finding> {
  for (const place of places) yield* findingsOf(place.target, checkPlace(origin, place, call));
}

async function* checkPlace(origin: GcsLocation, place: GcsCopyPlace, call: Call): AsyncGenerator<Finding> {
  let location: GcsLocation;
  try {
    location = await place.location();
  } catch (error) {
    yield failure("configuration", error);
    return;
  }
  const { kmsKeyName, customerKeyEncryptionFile, customerKeyEncryptionSecret } = place.target.config;
  const isKeyed = [kmsKeyName, customerKeyEncryptionFile, customerKeyEncryptionSecret].some((key) => key !== undefined);
  if (origin.config.kmsKeyName !== undefined && !isKeyed)
    yield advice(
      "kmsKeyName",
      "copies are encrypted as their bucket says, since the location's KMS key belongs to its own location",
      "give the target a kmsKeyName of its bucket's location, or set the bucket's default key",
    );
  let isReachable = true;
  for await (const finding of location.check(call)) {
    yield finding;
    if (finding.severity === "failure") isReachable = false;
  }
  if (!isReachable) return;
  yield* await checkDistance(origin, location, call);
  yield await checkCopy(origin, location, call);
}

/** Whether both buckets are lost together; those who may not read a bucket's settings are told nothing. */
async function checkDistance(origin: GcsLocation, location: GcsLocation, call: Call): Promise<readonly Finding[]> {
  const [from, to] = await Promise.all([whereIs(origin, call), whereIs(location, call)]);
  if (from === undefined || from !== to) return [];
  return [
    advice(
      "location",
      `the bucket is in ${to}, as the location's own, and is lost together with it`,
      "keep copies in a bucket of another region",
    ),
  ];
}

async function whereIs(location: GcsLocation, call: Call): Promise<string | undefined> {
  const session = location.openSession(location.config.bucket);
  const attempt = { action: `read where bucket "${session.bucket}" is`, permission: "storage.buckets.get" };
  const request = { method: "GET", url: session.bucketUrl({ fields: "location" }) };
  try {
    const { location: place } = await session.api.json(request, attempt, call);
    return typeof place === "string" ? place : undefined;
  } catch (error) {
    call.log.debug("where a bucket is cannot be read", {
      bucket: session.bucket,
      reason: PluginError.from(error).message,
    });
    return undefined;
  }
}

async function checkCopy(origin: GcsLocation, location: GcsLocation, call: Call): Promise<Finding> {
  try {
    return await tryCopy(copyEnd(origin), copyEnd(location), call);
  } catch (error) {
    if (!isKind(error, "unsupported")) return failure("copy", error);
    return advice(
      "copy",
      `the store cannot copy from the location's bucket itself, so that the bytes pass through the plugin: ${error.message}`,
      "let the target's credentials read the location's bucket (storage.objects.get), by the same endpoint",
    );
  }
}

function copyEnd(location: GcsLocation) {
  const { bucket, prefix } = location.config;
  return { bucket, prefix, driver: location.openDriver(location.openSession(bucket)) };
}
