import type { ObjectStoreConfig } from "./config.ts";
import type { GcsCopyTarget } from "./config-copies.ts";

/**
 * The configuration of a target as a location of its own: what its URL says, else what the location says, but nothing that
 * holds for the location's own bucket or identity only.
 */
export function copyTargetConfig(
  location: ObjectStoreConfig,
  { bucket, prefix, config }: GcsCopyTarget,
): ObjectStoreConfig {
  const isKeyed = config.customerKeyEncryptionFile !== undefined || config.customerKeyEncryptionSecret !== undefined;
  const own = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return {
    ...location,
    ...(isKeyed || config.kmsKeyName !== undefined ? ofCustomerKey : {}),
    // The private key, or the account, of other credentials signs for itself.
    ...(config.credentialsFile === undefined ? {} : { serviceAccount: undefined }),
    // A key of Cloud KMS serves buckets of its own location: another's would be refused.
    kmsKeyName: undefined,
    ...own,
    bucket,
    prefix: prefix ?? location.prefix,
    copyTo: [],
  };
}

const ofCustomerKey = { customerKeyEncryptionFile: undefined, customerKeyEncryptionSecret: undefined };
