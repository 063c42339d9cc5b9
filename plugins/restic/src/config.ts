import { bool, byteSize, custom, parseSecretReference, text } from "@flotilla/sdk/plugin";
import type { ConfigSchema, ConfigValues } from "@flotilla/sdk/plugin";
import { parseRepository } from "./repository-location.ts";

/** What both kinds of locations say of their repository. */
export const repositoryKeys = {
  credentialsFile: text(
    "File with what the repository's store wants: lines such as AWS_ACCESS_KEY_ID=…, or AWS's or Google's own credentials file; the server sets it where the location names a Secret. A line RESTIC_PASSWORD=… is the repository's password.",
    { origin: "server" },
  ),
  repository: custom(
    "The repository, in restic's own form: a folder, or sftp:, rest:, s3:, azure:, gs:, swift:, b2: or rclone: and what follows.",
    "restic repository",
    parseRepository,
    { required: true, origin: "ours" },
  ),
  passwordFile: text("File that holds the repository's password.", { origin: "ours" }),
  passwordSecret: custom(
    "Secret in the server's namespace that holds the repository's password.",
    "secret/key",
    parseSecretReference,
    { origin: "ours" },
  ),
  passwordCommand: text("Command that prints the repository's password; restic runs it.", { origin: "ours" }),
  initialize: bool("Make the repository at the first put, where there is none and nothing says that there was one.", {
    fallback: false,
    origin: "ours",
  }),
  resticPath: text("The restic program.", {
    defaultText: "the one shipped beside the plugin, otherwise `restic` on the PATH",
    origin: "ours",
  }),
  cacheFolder: text("Folder of restic's cache; each repository has its own below.", {
    defaultText: "in the server's scratch folder, otherwise the temporary one",
    origin: "ours",
  }),
  cacheLimit: byteSize(
    "Size beyond which the oldest files of a repository's cache are removed, whenever a location is opened.",
    {
      fallback: 512 * 1024 ** 2,
      defaultText: "512Mi",
      origin: "ours",
    },
  ),
} as const;

/** The keys of which one at most says what the password is. */
export const passwordKeys = ["passwordFile", "passwordSecret", "passwordCommand"] as const;

/** Every key of a BackupStorageLocation. */
export const objectStoreConfig = {
  keys: {
    bucket: text("Name of a part of the repository, from spec.objectStorage.bucket; it need not be made.", {
      origin: "server",
      required: true,
    }),
    prefix: text("Prefix of all keys, from spec.objectStorage.prefix.", { origin: "server", fallback: "" }),
    caCert: text("PEM certificates trusted besides the system's, from spec.objectStorage.caCert or caCertRef.", {
      origin: "server",
    }),
    ...repositoryKeys,
  },
  exclusive: [passwordKeys],
} as const satisfies ConfigSchema;

/** A parsed BackupStorageLocation. */
export type ObjectStoreConfig = ConfigValues<typeof objectStoreConfig>;

/** What a parsed location of either kind says of its repository. */
export type RepositoryConfig = Pick<ObjectStoreConfig, keyof typeof repositoryKeys> & {
  readonly caCert: string | undefined;
  /** Tried where the location names no password at all: one that is no secret. */
  readonly defaultPassword?: string;
  /** The credentials file is another repository's: what it says of a password and of a region is not meant. */
  readonly borrowsCredentials?: boolean;
};
