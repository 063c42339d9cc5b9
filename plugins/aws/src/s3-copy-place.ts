import type { CopyPlace } from "@flotilla/sdk/objects";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig, S3CopyTarget } from "./config.ts";
import type { S3CopyOrigin } from "./s3-copy.ts";
import { isAwsEndpoint } from "./s3-session.ts";
import { openS3Location } from "./s3-location.ts";
import type { S3Location } from "./s3-location.ts";

/** A copyTo target, opened when it is first needed. */
export class S3CopyPlace implements CopyPlace {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly mode: CopyPlace["mode"];
  readonly target: S3CopyTarget;
  readonly #origin: S3Location;
  readonly #context: OpenContext;
  #location: Promise<S3Location> | undefined;

  constructor(target: S3CopyTarget, origin: S3Location, context: OpenContext) {
    this.name = target.name;
    this.bucket = target.bucket;
    this.prefix = target.prefix;
    this.mode = target.mode;
    this.target = target;
    this.#origin = origin;
    this.#context = context;
  }

  async open() {
    const location = await this.location();
    return location.openDriver(location.openSession(this.bucket));
  }

  /** The location that the copies are: as another cluster would open it. */
  async location(): Promise<S3Location> {
    this.#location ??= this.#openLocation();
    try {
      return await this.#location;
    } catch (error) {
      this.#location = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    // One that could not be opened has nothing to close.
    const location = await this.#location?.catch(() => undefined);
    location?.close();
  }

  async #openLocation(): Promise<S3Location> {
    const { config, endpoint, encryption } = this.#origin;
    const { expectedBucketOwner, expectedSourceBucketOwner, copyCutoff } = this.target.config;
    const own = copyConfig(config, this.target);
    const copyOrigin = (there: string | undefined): S3CopyOrigin | undefined => {
      const isSameStore = isAwsEndpoint(endpoint) ? isAwsEndpoint(there) : endpoint === there;
      if (!isSameStore) return undefined;
      const { customerKey } = encryption;
      return { customerKey, expectedBucketOwner: expectedSourceBucketOwner, cutoffBytes: copyCutoff };
    };
    // The opening's signal ends with the opening; this one comes later.
    const context = { ...this.#context, signal: new AbortController().signal };
    return await openS3Location(own, context, {
      expectedBucketOwner,
      copyOrigin,
    });
  }
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
