import { bool, copyTargets, custom, oneOf, parseSecretReference, text, url } from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues, CopyTarget } from "@flotilla/sdk/plugin";
import { accessTiers, parseCopyCutoff, parseHttpsUrl } from "./config-values.ts";

/** What a target of `copyTo` may say, in the location's own keys. What it leaves out is as the location has it. */
const query = {
  keys: {
    storageAccount: text("Storage account."),
    storageAccountURI: url("Blob endpoint of the storage account."),
    resourceGroup: text("Resource group of the storage account."),
    subscriptionId: text("Subscription of the storage account."),
    credentialsFile: text("File with AZURE_… lines."),
    activeDirectoryAuthorityURI: custom("Entra authority.", "https URL", parseHttpsUrl),
    storageAccountKeyEnvVar: text("Name of the line that holds the account's access key."),
    useAAD: bool("Use Entra tokens for blobs."),
    encryptionScope: text("Encryption scope of the copies."),
    customerKeyEncryptionFile: text("File with the customer-provided key of the copies."),
    customerKeyEncryptionSecret: custom("Secret with that key.", "secret/key", parseSecretReference),
    accessTier: oneOf("Access tier of the copies.", accessTiers),
    copyCutoff: custom(
      "Larger objects are copied in blocks, several at a time.",
      "bytes such as 1Gi",
      parseCopyCutoff,
      {
        fallback: 256 * 1024 ** 2,
        defaultText: "256Mi",
      },
    ),
  },
  exclusive: [["encryptionScope", "customerKeyEncryptionFile", "customerKeyEncryptionSecret"]],
} as const satisfies ConfigSchema;

/** The key `copyTo` of a BackupStorageLocation. */
export const copyTo = copyTargets("Containers that get a copy of each object.", {
  scheme: "azblob",
  query,
  placeKeys: ["storageAccount", "storageAccountURI"],
});

/** One container that copies go to. */
export type ContainerTarget = CopyTarget<ConfigValues<typeof query>>;
