import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { Storage } from "@google-cloud/storage";
import type { Bucket } from "@google-cloud/storage";
import { startGcs, startGoogleIdentity } from "@flotilla/test/emulators";
import type { GcsOptions, GcsStandIn, GoogleIdentityStandIn, LoggedRequest } from "@flotilla/test/emulators";
import { OAuth2Client } from "google-auth-library";

import { Location } from "../wire/location.ts";
import { until } from "../wire/until.ts";
import { openWorkspace } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";

/** The service account of every test that needs no other. */
export const owner = "velero@flotilla.iam.gserviceaccount.com";

/** How a location differs from the usual one. */
export interface LocationOptions {
  /** Keys of the BackupStorageLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** Keys of the usual configuration to leave out. */
  readonly without?: readonly string[];
  /** Its credentials in JSON. Default: a key of the owner. */
  readonly credentials?: string;
  /** What becomes of the bucket: made for this location, left as it is, or left out. Default: made. */
  readonly bucketIs?: "made" | "there" | "missing";
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** A stand-in of Cloud Storage and a plugin process, shared by the tests of one file. */
export interface GcsRig extends Workspace {
  readonly gcs: GcsStandIn;
  readonly identity: GoogleIdentityStandIn;
  readonly session: Session;
  /** Google's own client: to look at the store from beside the plugin. */
  bucket(name: string): Bucket;
  /** Makes a bucket and opens a location on it. */
  open(bucket: string, options?: LocationOptions): Promise<Location>;
  /** The keys of the location that {@link open} would open. */
  configOf(bucket: string, options?: LocationOptions): Promise<Record<string, string>>;
  /** The requests that reached the store for a bucket, the probe's own left out; of one operation where it is given. */
  requestsOf(bucket: string, operation?: string): readonly LoggedRequest[];
  /** Waits until the store has a chunk of an upload into the bucket. */
  untilChunkArrived(bucket: string): Promise<void>;
}

/** The smallest memoryLimit, of which two parts fill the memory. */
export const smallParts = { memoryLimit: "16Mi" };

/** The size of such parts. */
export const smallPartBytes: number = 8 * 1024 ** 2;

/** Starts the stand-ins and a plugin process. */
export async function startGcsRig(options: Omit<GcsOptions, "stateDir" | "tokens"> = {}): Promise<GcsRig> {
  const workspace = await openWorkspace();
  const identity = await startGoogleIdentity({ serviceAccounts: [{ email: owner }] });
  workspace.own(identity);
  const gcs = await startGcs({ ...options, stateDir: join(workspace.folder, "state"), tokens: identity.tokens });
  workspace.own(gcs);
  const session = workspace.start();
  // Of this process only: the plugin's trust is what its location says.
  if (options.tls !== undefined) setDefaultCACertificates([...getCACertificates(), String(options.tls.cert)]);
  const storage = createProbe(gcs);
  const requestsOf = (bucket: string, operation?: string): readonly LoggedRequest[] =>
    gcs.log.entries(operation).filter((request) => request.bucket === bucket && !isProbe(request));
  const key = identity.serviceAccountKey(owner);
  const configOf = async (bucket: string, location: LocationOptions = {}): Promise<Record<string, string>> => {
    const { config, credentials = key, without = [] } = location;
    const usual = {
      bucket,
      prefix: "",
      storeEndpoint: gcs.storeEndpoint,
      credentialsFile: await workspace.writeCredentials(bucket, credentials),
      ...(options.tls === undefined ? {} : { caCert: String(options.tls.cert) }),
      ...config,
    };
    return Object.fromEntries(Object.entries(usual).filter(([name]) => !without.includes(name)));
  };
  return {
    ...workspace,
    gcs,
    identity,
    session,
    configOf,
    requestsOf,
    bucket: (name) => storage.bucket(name),
    open: async (bucket, location = {}) => {
      if ((location.bucketIs ?? "made") === "made") await storage.createBucket(bucket);
      const store = (location.session ?? session).manager.getObjectStore("velero.io/gcp");
      await store.init(await configOf(bucket, location));
      return new Location(store, bucket, (name) => gcs.objectFile(bucket, name));
    },
    untilChunkArrived: async (bucket) => {
      await until(`a chunk arrived in ${bucket}`, () =>
        requestsOf(bucket, "ContinueUpload").some(({ status }) => status === 308),
      );
    },
  };
}

/** Told apart from the plugin in the log by this. */
const probeAgent = "wire-probe";

function isProbe(request: LoggedRequest): boolean {
  return request.headers.get("user-agent")?.includes(probeAgent) === true;
}

/** Google's own client, which is told apart from the plugin in the log. */
export function createProbe(gcs: GcsStandIn): Storage {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: gcs.tokens.issue("probe@flotilla.iam.gserviceaccount.com") });
  return new Storage({
    apiEndpoint: gcs.url,
    authClient,
    useAuthWithCustomEndpoint: true,
    projectId: "flotilla",
    userAgent: probeAgent,
  });
}
