import { Faults } from "../faults.ts";
import { GoogleTokens } from "../google-identity/tokens.ts";
import { listen } from "../http-listener.ts";
import type { Listener, TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { serveWhole } from "../whole-request.ts";
import type { GceQuotas, GceSettings, PlannedFailure } from "./call.ts";
import type { Problem } from "./gce-error.ts";
import { diskPath, snapshotPath } from "./model.ts";
import { GcePermissions } from "./permissions.ts";
import type { MissingGcePermission } from "./permissions.ts";
import { GceRegions } from "./regions.ts";
import type { GceRefusal, GceRegionSeed } from "./regions.ts";
import { gcpDefaults, makeDisk, makeSnapshot } from "./seeds.ts";
import type { GceDiskSeed, GceSnapshotSeed } from "./seeds.ts";
import { gceService } from "./serve-gce.ts";
import type { GceService } from "./serve-gce.ts";
import { GceState } from "./state.ts";
import { writeDisk, writeSnapshot } from "./write-resource.ts";

/** How to start the stand-in of Compute Engine. */
export interface GceOptions {
  /** The folder of disks, snapshots and operations; an existing one is continued. Default: they are kept in memory. */
  readonly stateDir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: plain HTTP. */
  readonly tls?: TlsFiles;
  /** Default: that of `gcpDefaults`. */
  readonly projects?: readonly string[];
  /** Default: us-central1 and europe-west1 with three zones each. */
  readonly regions?: readonly GceRegionSeed[];
  /** Whose tokens are good. Default: nobody's. */
  readonly tokens?: GoogleTokens;
  readonly disks?: readonly GceDiskSeed[];
  readonly snapshots?: readonly GceSnapshotSeed[];
  /** The keys of Cloud KMS that may be used, by their full names. Default: none. */
  readonly kmsKeys?: readonly string[];
  /** How long an operation takes. Default 0: done in its first answer. */
  readonly pendingMs?: number;
  /** How long a snapshot is still UPLOADING when its operation is done. Default 0. */
  readonly uploadMs?: number;
  /** How long `wait` waits at most. Default: two minutes, as the service. */
  readonly waitMs?: number;
  readonly quotas?: GceQuotas;
  /** How many entries a page of a list has at most. Default: 500. */
  readonly pageSize?: number;
  readonly faults?: Faults;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of Compute Engine. */
export interface GceStandIn extends Listener {
  readonly tokens: GoogleTokens;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Puts a disk there, ready at once; one that exists stays as it is. Returns its path. */
  addDisk(seed: GceDiskSeed): string;
  addSnapshot(seed: GceSnapshotSeed): string;
  /** Returns a disk or snapshot by its path as the API would answer it; undefined where there is none. */
  find(path: string): Readonly<Record<string, unknown>> | undefined;
  /** Makes the next write to what a path names, or from it, fail after it was answered: in its operation, or of a snapshot later. */
  failNext(path: string, problem: Problem, at?: PlannedFailure["at"]): void;
  /** Takes permissions away; call what comes back to give them again. */
  deny(missing: MissingGcePermission): () => void;
  /** Makes a region refuse everything. */
  refuseRegion(region: string, refusal?: Partial<GceRefusal>): void;
  /** Ends that. */
  acceptRegion(region: string): void;
  /** The keys of Cloud KMS that may be used; a test adds and removes them. */
  readonly kmsKeys: Set<string>;
  /** Changes how long things take, the quotas, and whether an answer or an operation tells that one is exceeded. */
  configure(changes: Partial<GceSettings>): void;
}

const defaultRegions: readonly GceRegionSeed[] = [
  { name: gcpDefaults.region, zones: ["us-central1-a", "us-central1-b", "us-central1-c"] },
  { name: gcpDefaults.otherRegion, zones: ["europe-west1-b", "europe-west1-c", "europe-west1-d"] },
];
const outage: GceRefusal = {
  status: 503,
  reason: "backendError",
  message: "The service is currently unavailable in this region.",
};

/** Starts a stand-in of Compute Engine on loopback. */
export async function startGce(options: GceOptions = {}): Promise<GceStandIn> {
  const now = options.now ?? ((): Date => new Date());
  const service: GceService = {
    state: new GceState(options.stateDir),
    tokens: options.tokens ?? new GoogleTokens({ now }),
    projects: new Set(options.projects ?? [gcpDefaults.projectId]),
    regions: new GceRegions(options.regions ?? defaultRegions),
    permissions: new GcePermissions(),
    settings: readSettings(options),
    kmsKeys: new Set(options.kmsKeys),
    failures: new Map(),
    faults: options.faults ?? new Faults(),
    log: new RequestLog(),
    now,
  };
  const api = gceService(service);
  const listener = await listen(
    (request, response, askForBody) => {
      askForBody();
      void serveWhole(api, request, response);
    },
    { port: options.port, tls: options.tls },
  );
  const controls = controlsOf(service);
  for (const seed of options.disks ?? []) controls.addDisk(seed);
  for (const seed of options.snapshots ?? []) controls.addSnapshot(seed);
  return { ...listener, ...controls, tokens: service.tokens, faults: service.faults, log: service.log };
}

function controlsOf(service: GceService): Omit<GceStandIn, keyof Listener | "tokens" | "faults" | "log"> {
  const { state, regions, settings, kmsKeys } = service;
  const nowMs = (): number => service.now().getTime();
  return {
    kmsKeys,
    addDisk: (seed) => {
      const disk = makeDisk(seed, state.nextId(), nowMs());
      const path = diskPath(disk);
      if (!state.disks.has(path)) state.disks.set(path, disk);
      state.save();
      return path;
    },
    addSnapshot: (seed) => {
      const snapshot = makeSnapshot(seed, state.nextId(), nowMs());
      const path = snapshotPath(snapshot);
      if (!state.snapshots.has(path)) state.snapshots.set(path, snapshot);
      state.save();
      return path;
    },
    find: (path) => {
      state.sweep(nowMs());
      const disk = state.disks.get(path);
      const snapshot = state.snapshots.get(path);
      return disk ? writeDisk(disk, nowMs()) : snapshot && writeSnapshot(snapshot, nowMs());
    },
    failNext: (path, problem, at = "operation") => void service.failures.set(path, { ...problem, at }),
    deny: (missing) => service.permissions.deny(missing),
    refuseRegion: (region, refusal = {}) => regions.setRefusal(region, { ...outage, ...refusal }),
    acceptRegion: (region) => regions.setRefusal(region, undefined),
    configure: (changes) => void Object.assign(settings, changes),
  };
}

function readSettings(options: GceOptions): GceSettings {
  const { pendingMs = 0, uploadMs = 0, waitMs = 120_000, pageSize = 500, quotas = {} } = options;
  return { pendingMs, uploadMs, waitMs, pageSize, quotas, quotaFailure: "answer" };
}
