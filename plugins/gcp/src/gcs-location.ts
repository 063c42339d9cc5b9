import type { Call, Finding, OpenContext } from "@flotilla/sdk/plugin";
import { readCustomerKey } from "@flotilla/sdk/secrets";
import { openConnection } from "./client.ts";
import type { Connection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { parseStoreEndpoint } from "./config-values.ts";
import { translateStorageAnswer } from "./errors.ts";
import { GcsBlobDriver } from "./gcs-blob-driver.ts";
import { checkObjectStore } from "./gcs-check.ts";
import type { GcsCopyOrigin } from "./gcs-copy.ts";
import { GcsSession } from "./gcs-session.ts";
import { gcsSettings } from "./gcs-settings.ts";
import type { GcsSettings } from "./gcs-settings.ts";
import { GcsSigner } from "./gcs-signer.ts";

/** What a configuration opens: a location's bucket, or one that copies go to. */
export interface GcsLocation {
  readonly config: ObjectStoreConfig;
  readonly settings: GcsSettings;
  openSession(bucket: string): GcsSession;
  openDriver(session: GcsSession): GcsBlobDriver;
  check(call: Call): AsyncIterable<Finding>;
  close(): void;
}

// As the official plugin: enough for objects, and for nothing else of the project.
const storageScope = "https://www.googleapis.com/auth/devstorage.read_write";

/** Opens what a location's keys describe. Only what a file must yield is read; Google Cloud is asked for nothing. */
export async function openGcsLocation(
  config: ObjectStoreConfig,
  context: OpenContext,
  copyOrigin?: GcsCopyOrigin,
): Promise<GcsLocation> {
  const { env } = context;
  const emulator = emulatorOf(env);
  const [connection, customerKey] = await Promise.all([
    openConnection(
      {
        ...config,
        insecureSkipVerify: config.insecureSkipTLSVerify,
        ...(emulator === undefined ? {} : { identity: { kind: "anonymous" } }),
      },
      context,
    ),
    readCustomerKey(config, context),
  ]);
  const endpoint = config.storeEndpoint ?? emulator ?? new URL(`https://storage.${connection.universeDomain}`);
  const settings = gcsSettings(config, customerKey);
  const signer = new GcsSigner({
    connection,
    serviceAccount: config.serviceAccount,
    // In gcloud's own word, since neither location nor credentials have one.
    iamEndpoint: env["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"] || undefined,
  });
  const api = connection.api(storageScope, translateStorageAnswer);
  const openSession = (bucket: string): GcsSession => new GcsSession({ bucket, endpoint, api });
  const openDriver = (session: GcsSession): GcsBlobDriver =>
    new GcsBlobDriver({ session, settings, signer, copyOrigin });
  return {
    config,
    settings,
    openSession,
    openDriver,
    check: (call) => {
      const session = openSession(config.bucket);
      return checkObjectStore({ config, connection, customerKey, session, driver: openDriver(session) }, call);
    },
    close: () => connection.close(),
  };
}

/** The emulator that Google's own libraries would talk to, without credentials; a `storeEndpoint` says where it is instead. */
function emulatorOf(env: Connection["env"]): URL | undefined {
  const host = env["STORAGE_EMULATOR_HOST"];
  if (!host) return undefined;
  return parseStoreEndpoint(host.includes("://") ? host : `http://${host}`);
}
