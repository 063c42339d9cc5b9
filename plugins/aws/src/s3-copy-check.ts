import { randomUUID } from "node:crypto";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, findingsOf, ok, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { checkBucket } from "./s3-check.ts";
import type { S3BlobDriver } from "./s3-blob-driver.ts";
import type { S3CopyPlace } from "./s3-copy-place.ts";
import type { S3Location } from "./s3-location.ts";

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
  yield await checkCopy(origin, location, call);
}

async function checkCopy(origin: S3Location, location: S3Location, call: Call): Promise<Finding> {
  const name = `metadata/flotilla-check-${randomUUID()}`;
  const source = origin.openDriver(origin.openSession(origin.config.bucket));
  const target = location.openDriver(location.openSession(location.config.bucket));
  const [from, to] = [inFolder(origin.config.prefix, name), inFolder(location.config.prefix, name)];
  const body = Buffer.from("flotilla check of copies\n");
  try {
    await source.put(from, body, await checksumOf(origin.config.checksumAlgorithm, body), call);
    try {
      return await copied({ source, from, bucket: origin.config.bucket }, target, to, call);
    } finally {
      await Promise.all([source.remove(from, call), target.remove(to, call)]);
    }
  } catch (error) {
    return failure("copy", error);
  }
}

async function copied(
  { source, from, bucket }: { readonly source: S3BlobDriver; readonly from: string; readonly bucket: string },
  target: S3BlobDriver,
  to: string,
  call: Call,
): Promise<Finding> {
  if (!target.canCopy)
    return advice(
      "copy",
      "the copies' store is another than the location's: their bytes pass through the plugin",
      "count the traffic in, or keep copies in a bucket of the same store",
    );
  const description = await source.stat(from, call);
  if (description === undefined)
    throw new PluginError(`object "${from}" in bucket "${bucket}" is gone again`, { kind: "conflict" });
  const { sizeBytes, checksum, readVersion: version = "" } = description;
  const sign = async (): Promise<string> => await source.sign(from, 60, call);
  await target.copyFrom({ bucket, key: from, sizeBytes: Number(sizeBytes), version, checksum, sign }, to, call);
  return ok("copy", `copied "${from}" from bucket "${bucket}"`);
}

function inFolder(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}
