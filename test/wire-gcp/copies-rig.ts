import type { Bucket } from "@google-cloud/storage";
import type { GcsOptions } from "@flotilla/test/emulators";

import type { Location } from "../wire/location.ts";
import { bucketLog } from "../wire/bucket-log.ts";
import type { BucketLog } from "../wire/bucket-log.ts";
import { startGcsRig } from "./gcs-rig.ts";
import type { GcsRig, LocationOptions } from "./gcs-rig.ts";

/** Where the location's own bucket is. */
export const ownRegion = "US-CENTRAL1";
/** Where the bucket of the copies is. */
export const otherRegion = "EUROPE-WEST1";

/** How a location with a copy differs from the usual one. */
interface CopiedOptions extends LocationOptions {
  /** The target's query. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the target. */
  readonly prefix?: string;
}

/** A location whose objects are copied to a bucket of the other region. */
export interface Copied {
  readonly location: Location;
  readonly bucket: string;
  /** The bucket of the copies, looked at from beside the plugin. */
  readonly copies: Bucket;
  readonly copyBucket: string;
}

/** A rig with buckets in two regions. */
export interface CopiesRig extends GcsRig, BucketLog {
  /** Makes both buckets and opens a location. */
  openCopied(bucket: string, options?: CopiedOptions): Promise<Copied>;
  /** The location's configuration, and its copy's as one of its own. */
  configsOf(
    bucket: string,
    options?: CopiedOptions,
  ): Promise<{ readonly own: Record<string, string>; readonly copy: Record<string, string> }>;
}

/** Starts the stand-ins and a plugin process. */
export async function startCopiesRig(options: Omit<GcsOptions, "stateDir" | "tokens"> = {}): Promise<CopiesRig> {
  const rig = await startGcsRig(options);
  const configsOf = async (bucket: string, copied: CopiedOptions = {}): ReturnType<CopiesRig["configsOf"]> => {
    const { query = {}, prefix, ...location } = copied;
    const copyBucket = `${bucket}-copy`;
    const search = new URLSearchParams(query).toString();
    const copyTo = `gs://${copyBucket}${prefix === undefined ? "" : `/${prefix}`}${search === "" ? "" : `?${search}`}`;
    const own = await rig.configOf(bucket, { ...location, config: { copyTo, ...location.config } });
    const { copyTo: _, ...shared } = own;
    const { mode: _mode, ...target } = query;
    return { own, copy: { ...shared, ...target, bucket: copyBucket, prefix: prefix ?? own["prefix"] ?? "" } };
  };
  return {
    ...rig,
    configsOf,
    openCopied: async (bucket, copied = {}) => {
      const copyBucket = `${bucket}-copy`;
      await rig.bucket(bucket).create({ location: ownRegion });
      await rig.bucket(copyBucket).create({ location: otherRegion });
      const { own } = await configsOf(bucket, copied);
      const location = await rig.open(bucket, { ...copied, bucketIs: "there", config: own });
      return { location, bucket, copies: rig.bucket(copyBucket), copyBucket };
    },
    ...bucketLog(rig.session),
  };
}
