import { Faults } from "../faults.ts";
import { GoogleTokens } from "../google-identity/tokens.ts";
import { listen } from "../http-listener.ts";
import type { Listener, TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import type { BucketConfig } from "./bucket.ts";
import { newBucket } from "./buckets.ts";
import { GcsOutages } from "./outages.ts";
import type { GcsOutage } from "./outages.ts";
import { GcsPermissions } from "./permissions.ts";
import type { MissingGcsPermission } from "./permissions.ts";
import { serve } from "./serve.ts";
import type { GcsService } from "./serve.ts";
import { GcsState, objectFile } from "./state.ts";

/** A bucket to create at the start, where it does not exist. */
export interface GcsBucketSeed extends Partial<Omit<BucketConfig, "name">> {
  readonly name: string;
}

/** How to start the stand-in of Cloud Storage. */
export interface GcsOptions {
  /** The folder of all state; an existing one is continued. */
  readonly stateDir: string;
  readonly buckets?: readonly (string | GcsBucketSeed)[];
  /** Whose tokens and signatures are good. Default: nobody's. */
  readonly tokens?: GoogleTokens;
  /** The keys of Cloud KMS that may be used, by their full names. Default: none. */
  readonly kmsKeys?: readonly string[];
  /** How many bytes a request rewrites at most where data are really moved. Default: 1 GiB. */
  readonly rewriteBytes?: number;
  /** How long an upload session lives. Default: a week. */
  readonly sessionLifetimeMs?: number;
  /** How many entries a page of a list has at most. Default: 1000. */
  readonly pageSize?: number;
  /** Default: a free one. */
  readonly port?: number;
  readonly tls?: TlsFiles;
  readonly faults?: Faults;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of Cloud Storage: the JSON API, and of the XML API the reading of objects and signed URLs. */
export interface GcsStandIn extends Listener {
  readonly tokens: GoogleTokens;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** What `storeEndpoint` names. */
  readonly storeEndpoint: string;
  /** The keys of Cloud KMS that may be used; a test adds and removes them. */
  readonly kmsKeys: Set<string>;
  /** Loses a location (`EUROPE-WEST1`) with all its buckets until it is restored; by 503 to everything unless told. */
  loseRegion(location: string, outage?: GcsOutage): void;
  restoreRegion(location: string): void;
  /** Takes permissions away; call what comes back to give them again. */
  deny(missing: MissingGcsPermission): () => void;
  /** Returns the file that holds an object's bytes. */
  objectFile(bucket: string, name: string): string;
  /** Returns the names of uploads into a bucket that were begun and neither completed nor cancelled. */
  openUploads(bucket: string): readonly string[];
}

const week = 7 * 24 * 3_600_000;

/** Starts a stand-in of Cloud Storage on loopback. */
export async function startGcs(options: GcsOptions): Promise<GcsStandIn> {
  const { stateDir, tls } = options;
  const now = options.now ?? ((): Date => new Date());
  const state = new GcsState(stateDir, options.kmsKeys);
  for (const seed of options.buckets ?? []) seedBucket(state, typeof seed === "string" ? { name: seed } : seed, now());
  const permissions = new GcsPermissions();
  const faults = options.faults ?? new Faults();
  const outages = new GcsOutages(state, faults);
  const service: GcsService = {
    state,
    permissions,
    tokens: options.tokens ?? new GoogleTokens({ now }),
    settings: {
      rewriteBytes: options.rewriteBytes ?? 1024 ** 3,
      sessionLifetimeMs: options.sessionLifetimeMs ?? week,
      pageSize: options.pageSize ?? 1000,
    },
    faults,
    outages,
    log: new RequestLog(),
    isSecure: tls !== undefined,
    now,
  };
  const listener = await listen((request, response, askForBody) => void serve(service, request, response, askForBody), {
    port: options.port,
    tls,
  });
  return {
    ...listener,
    tokens: service.tokens,
    faults: service.faults,
    log: service.log,
    storeEndpoint: `${listener.url}/storage/v1/`,
    kmsKeys: state.kmsKeys,
    loseRegion: (location, outage = "refuses") => outages.lose(location, outage),
    restoreRegion: (location) => outages.restore(location),
    deny: (missing) => permissions.deny(missing),
    objectFile: (bucket, name) => objectFile(stateDir, bucket, name),
    openUploads: (bucket) => state.sessions.open(bucket).map(({ record }) => record.name),
  };
}

function seedBucket(state: GcsState, seed: GcsBucketSeed, now: Date): void {
  if (state.hasBucket(seed.name)) return;
  const { projectId = "flotilla", location = "US" } = seed;
  const plain = newBucket(seed.name, projectId, location, now);
  state.createBucket({ ...plain, ...seed, location: plain.location });
}
