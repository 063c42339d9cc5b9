import { accountIdOf } from "../accounts.ts";
import { childText, document, element, leaf, parseXml } from "../xml.ts";
import { receiveDocument } from "./body.ts";
import type { BucketConfig } from "./bucket.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { S3Error } from "./s3-error.ts";

const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const firstRegion = "us-east-1";

/** ListBuckets. */
export function listBuckets(call: Call): Answer {
  const prefix = call.query.get("prefix") ?? "";
  const region = call.query.get("bucket-region");
  const owned = call.state
    .buckets()
    .map((bucket) => bucket.config)
    .filter(({ name, owner }) => owner === accountIdOf(call.account) && name.startsWith(prefix))
    .filter((config) => region === undefined || config.region === region)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const buckets = owned.map((config) =>
    element("Bucket", [
      leaf("Name", config.name),
      leaf("CreationDate", config.created),
      leaf("BucketRegion", config.region),
    ]),
  );
  const owner = element("Owner", [leaf("ID", accountIdOf(call.account))]);
  return { body: document(element("ListAllMyBucketsResult", [owner, element("Buckets", buckets)], xmlns)) };
}

/** CreateBucket. */
export async function createBucket(call: Call): Promise<Answer> {
  const name = call.bucketName ?? "";
  checkBucketName(name);
  const region = readLocation(await receiveDocument(call), call.claim.region);
  if (!call.state.settings.regions.includes(region)) {
    throw new S3Error("InvalidLocationConstraint", undefined, { details: { LocationConstraint: region } });
  }
  const owner = accountIdOf(call.account);
  const existing = call.state.findBucket(name);
  if (existing !== undefined) {
    if (existing.config.owner !== owner) throw new S3Error("BucketAlreadyExists");
    // Only the first region answers a repetition with success, for the sake of old clients.
    if (call.claim.region !== firstRegion) throw new S3Error("BucketAlreadyOwnedByYou");
    return { headers: { location: `/${name}` } };
  }
  const isLocked = call.headers.get("x-amz-bucket-object-lock-enabled") === "true";
  call.state.createBucket(newBucket(name, region, owner, isLocked));
  return { headers: { location: `/${name}` } };
}

/** Returns the settings of a fresh bucket. */
export function newBucket(name: string, region: string, owner: string, isLocked: boolean): BucketConfig {
  const created = new Date().toISOString();
  return { name, region, owner, created, ...(isLocked ? { objectLock: {}, versioning: "Enabled" } : {}) };
}

/** DeleteBucket. */
export function deleteBucket(call: Call): Answer {
  const bucket = bucketOf(call);
  if (!bucket.objects.isEmpty) {
    const reason =
      bucket.config.versioning === undefined
        ? undefined
        : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    throw new S3Error("BucketNotEmpty", reason, { details: { BucketName: bucket.config.name } });
  }
  call.state.deleteBucket(bucket);
  return { status: 204 };
}

/** HeadBucket. */
export function headBucket(call: Call): Answer {
  const { region } = bucketOf(call).config;
  return { headers: { "x-amz-bucket-region": region, "content-type": "application/xml" } };
}

/** GetBucketLocation; the first region is an empty element. */
export function getBucketLocation(call: Call): Answer {
  const { region } = bucketOf(call).config;
  return { body: document(element("LocationConstraint", [region === firstRegion ? "" : region], xmlns)) };
}

function checkBucketName(name: string): void {
  const isGood =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !/\.\.|^\d+\.\d+\.\d+\.\d+$|^xn--|-s3alias$/.test(name);
  if (!isGood) throw new S3Error("InvalidBucketName", undefined, { details: { BucketName: name } });
}

function readLocation(source: string, endpointRegion: string): string {
  const wanted = source === "" ? undefined : childText(parseXml(source), "LocationConstraint");
  if (wanted === undefined || wanted === "") {
    if (endpointRegion === firstRegion) return firstRegion;
    throw incompatible("unspecified", endpointRegion);
  }
  if (wanted === firstRegion) throw new S3Error("InvalidLocationConstraint");
  if (wanted === endpointRegion || endpointRegion === firstRegion) return wanted;
  throw incompatible(wanted, endpointRegion);
}

function incompatible(location: string, endpointRegion: string): S3Error {
  return new S3Error(
    "IllegalLocationConstraintException",
    `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    { details: { EndpointRegion: endpointRegion } },
  );
}
