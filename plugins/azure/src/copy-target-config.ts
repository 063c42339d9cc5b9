import type { ObjectStoreConfig } from "./config.ts";
import type { ContainerTarget } from "./config-copies.ts";

/**
 * The configuration of a target as a location of its own: what its URL says, else what the location says, but nothing that
 * holds for the location's own storage account only where the target names another one.
 */
export function copyTargetConfig(
  location: ObjectStoreConfig,
  { bucket, prefix, config }: ContainerTarget,
): ObjectStoreConfig {
  const isOtherAccount = config.storageAccount !== undefined || config.storageAccountURI !== undefined;
  const isOtherIdentity = config.credentialsFile !== undefined;
  const isKeyed = config.customerKeyEncryptionFile !== undefined || config.customerKeyEncryptionSecret !== undefined;
  const isScoped = config.encryptionScope !== undefined;
  const inherited: ObjectStoreConfig = {
    ...location,
    ...(isOtherAccount ? ofAccount : {}),
    ...(isOtherIdentity ? ofIdentity : {}),
    ...(isScoped || isKeyed ? ofEncryption : {}),
    copyTo: [],
  };
  const { copyCutoff: _, ...keys } = config;
  const own = Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
  return { ...inherited, ...own, bucket, prefix: prefix ?? location.prefix };
}

// A key of one account opens no other, and its encryption scopes are its own.
const ofAccount = {
  storageAccount: undefined,
  storageAccountURI: undefined,
  storageAccountKeyEnvVar: undefined,
  encryptionScope: undefined,
};

// Lines of another file speak of another subscription.
const ofIdentity = { resourceGroup: undefined, subscriptionId: undefined };

const ofEncryption = {
  encryptionScope: undefined,
  customerKeyEncryptionFile: undefined,
  customerKeyEncryptionSecret: undefined,
};
