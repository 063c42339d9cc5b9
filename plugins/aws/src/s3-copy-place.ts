import { LocationCopyPlace } from "@flotilla/sdk/objects";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig, S3CopyTarget } from "./config.ts";
import type { S3CopyOrigin } from "./s3-copy.ts";
import { isSameStore } from "./s3-session.ts";
import { openS3Location } from "./s3-location.ts";
import type { S3Location } from "./s3-location.ts";

/** A copyTo target. */
export type S3CopyPlace = LocationCopyPlace<S3CopyTarget, S3Location>;

/** Makes the place of a copyTo target, which is opened when it is first needed. */
export function s3CopyPlace(target: S3CopyTarget, origin: S3Location, context: OpenContext): S3CopyPlace {
  return new LocationCopyPlace<S3CopyTarget, S3Location>(
    target,
    {
      openLocation: async (target, context) => await openTarget(target, origin, context),
      driverOf: (location, { bucket }) => location.openDriver(location.openSession(bucket)),
    },
    context,
  );
}

async function openTarget(target: S3CopyTarget, origin: S3Location, context: OpenContext): Promise<S3Location> {
  const { config, endpoint, encryption } = origin;
  const { expectedBucketOwner, expectedSourceBucketOwner, copyCutoff } = target.config;
  const copyOrigin = (there: string | undefined): S3CopyOrigin | undefined => {
    if (!isSameStore(endpoint, there)) return undefined;
    const { customerKey } = encryption;
    return { customerKey, expectedBucketOwner: expectedSourceBucketOwner, cutoffBytes: copyCutoff };
  };
  return await openS3Location(copyConfig(config, target), context, { expectedBucketOwner, copyOrigin });
}

/** The configuration of the location that the copies are: the target's keys, and the location's for all others. */
export function copyConfig(config: ObjectStoreConfig, target: S3CopyTarget): ObjectStoreConfig {
  const given = definedIn(target.config);
  // A bucket of AWS tells its own region; other stores may not.
  const isAskedForRegion = (given.s3Url ?? config.s3Url) === undefined;
  return {
    ...config,
    // A KMS key belongs to one region: another one's would be refused.
    ...(config.kmsKeyId === undefined ? {} : noKmsKey),
    ...(isAskedForRegion ? { region: undefined } : {}),
    ...(given.s3Url === undefined ? {} : { publicUrl: undefined }),
    ...(isEncryptionGiven(given) ? noEncryption : {}),
    ...given,
    bucket: target.bucket,
    prefix: target.prefix ?? config.prefix,
    copyTo: [],
  };
}

// With a key beside it, the word says nothing of its own; without one it would ask for AWS's instead of the bucket's.
const noKmsKey = { kmsKeyId: undefined, serverSideEncryption: undefined } as const;

const noEncryption = {
  serverSideEncryption: undefined,
  customerKeyEncryptionFile: undefined,
  customerKeyEncryptionSecret: undefined,
} as const;

function isEncryptionGiven(given: Partial<ObjectStoreConfig>): boolean {
  return given.kmsKeyId !== undefined || Object.keys(noEncryption).some((key) => Object.hasOwn(given, key));
}

// What only a target has.
const ownKeys = new Set(["copyCutoff", "expectedBucketOwner", "expectedSourceBucketOwner"]);

/** The location's keys that the target gives. */
function definedIn(config: S3CopyTarget["config"]): Partial<ObjectStoreConfig> {
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => value !== undefined && !ownKeys.has(key)));
}
