import { tryCopy } from "@flotilla/sdk/objects";
import { advice, failure, findingsOf, isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { checkBucket } from "./s3-check.ts";
import type { S3CopyPlace } from "./s3-copy-place.ts";
import type { S3Location } from "./s3-location.ts";
import { isSameStore } from "./s3-session.ts";

/** Tries what each copyTo target needs: the permissions of a location, and a copy of an object. */
export async function* checkCopies(
  origin: S3Location,
  places: readonly S3CopyPlace[],
  call: Call,
): AsyncGenerator<Finding> {
  for (const place of places) yield* findingsOf(place.target, checkPlace(origin, place, call));
}

async function* checkPlace(origin: S3Location, place: S3CopyPlace, call: Call): AsyncGenerator<Finding> {
  let location: S3Location;
  try {
    location = await place.location();
  } catch (error) {
    yield failure("open", error);
    return;
  }
  const { kmsKeyId, serverSideEncryption } = place.target.config;
  if (origin.config.kmsKeyId !== undefined && kmsKeyId === undefined && serverSideEncryption === undefined)
    yield advice(
      "kmsKeyId",
      "copies are encrypted as their bucket says, since the location's KMS key belongs to its own region",
      "give the target a kmsKeyId of its region, or set the bucket's default encryption",
    );
  yield* checkBucket(location, call);
  yield* await checkDistance(origin, location, call);
  yield await checkCopy(origin, location, call);
}

/** Whether both buckets are lost together. Where one of them cannot be asked, other findings say so. */
async function checkDistance(origin: S3Location, location: S3Location, call: Call): Promise<readonly Finding[]> {
  if (!isSameStore(origin.endpoint, location.endpoint)) return [];
  try {
    const [from, to] = await Promise.all([regionOf(origin, call), regionOf(location, call)]);
    if (from !== to) return [];
    return [
      advice(
        "region",
        `the bucket is in ${to}, as the location's own, and is lost together with it`,
        "keep copies in a bucket of another region",
      ),
    ];
  } catch (error) {
    call.log.debug("the region of a bucket cannot be found out", { reason: PluginError.from(error).message });
    return [];
  }
}

async function regionOf(location: S3Location, call: Call): Promise<string> {
  return await location.openSession(location.config.bucket).resolveRegion(call);
}

async function checkCopy(origin: S3Location, location: S3Location, call: Call): Promise<Finding> {
  const [own, target] = [copyEnd(origin), copyEnd(location)];
  try {
    return await tryCopy(own, target, call);
  } catch (error) {
    if (target.driver.canCopy || !isKind(error, "unsupported")) return failure("copy", error);
    return advice(
      "copy",
      "the copies' store is another than the location's: their bytes pass through the plugin",
      "count the traffic in, or keep copies in a bucket of the same store",
    );
  }
}

function copyEnd(location: S3Location) {
  const { bucket, prefix } = location.config;
  return { bucket, prefix, driver: location.openDriver(location.openSession(bucket)) };
}
