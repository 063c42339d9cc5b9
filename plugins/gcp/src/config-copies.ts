import { copyTargets, custom, oneOf, parseSecretReference, text } from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues, CopyTarget } from "@flotilla/sdk/plugin";
import { parseStoreEndpoint, storageClasses } from "./config-values.ts";

/** What a target of `copyTo` may say, in the location's own keys. What it leaves out is as the location has it. */
const query = {
  keys: {
    kmsKeyName: text("Cloud KMS key of the copies; a key serves buckets of its own location only.", {
      defaultText: "the bucket's own",
    }),
    customerKeyEncryptionFile: text("File with the customer-supplied key of the copies."),
    customerKeyEncryptionSecret: custom("Secret with that key.", "secret/key", parseSecretReference),
    storageClass: oneOf("Storage class of the copies.", storageClasses),
    credentialsFile: text("JSON credentials for the bucket of the copies."),
    serviceAccount: text("Service account that signs URLs of the copies."),
    storeEndpoint: custom("Endpoint of Cloud Storage.", "host or URL", parseStoreEndpoint),
  },
  exclusive: [["kmsKeyName", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

// Buckets have one name in all of Google Cloud, so that no key tells two of them apart.
/** The key `copyTo` of a BackupStorageLocation. */
export const copyTo = copyTargets("Buckets that every object is copied to; see the guide on another region.", {
  scheme: "gs",
  query,
});

/** One bucket that copies go to. */
export type GcsCopyTarget = CopyTarget<ConfigValues<typeof query>>;
