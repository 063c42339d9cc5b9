import { mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";

import type { Account, Accounts } from "../accounts.ts";
import { defaultAccountId, toAccounts } from "../accounts.ts";
import { Faults } from "../faults.ts";
import type { FaultHandle } from "../faults.ts";
import { listen } from "../http-listener.ts";
import type { Listener, TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { checkId, newId } from "./call.ts";
import type { Ec2Settings } from "./call.ts";
import type { Snapshot, Volume, VolumeType } from "./model.ts";
import { RegionState } from "./region-state.ts";
import { serveQuery } from "./serve-query.ts";
import type { Role } from "./sts.ts";
import { settleIops, settleThroughput } from "./volume-rules.ts";

/** How to start the EC2 stand-in. */
export interface Ec2Options {
  /** The folder of all state; an existing one is continued. */
  readonly stateDir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: `test` / `testsecret`. */
  readonly accounts?: Accounts | readonly Account[];
  /** Default: us-east-1, us-west-2, eu-west-1, eu-central-1. */
  readonly regions?: readonly string[];
  readonly tls?: TlsFiles;
  readonly faults?: Faults;
  /** How long a snapshot is pending and a volume creating. Default 0: done by the next request. */
  readonly pendingMs?: number;
  /** How long a copy of a snapshot is pending. Default: as long as a snapshot. */
  readonly copyMs?: number;
  /** How many copies may be pending in one region at once. Default: 20, as EC2's quota. */
  readonly maxConcurrentCopies?: number;
  /** Volume types that a region does not have. Default: every region has all. */
  readonly missingTypes?: Ec2Settings["missingTypes"];
  /** KMS keys that may not be used: what is made with them ends in the state error. */
  readonly kms?: Ec2Settings["kms"];
  /** What STS lets a caller assume. Default: nothing. */
  readonly roles?: readonly Role[];
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A volume to put there without a request. */
export interface VolumeSeed {
  /** Default: a new one. */
  readonly id?: string;
  readonly zone: string;
  readonly type?: VolumeType;
  readonly sizeGiB: number;
  readonly iops?: number;
  readonly throughput?: number;
  readonly isEncrypted?: boolean;
  readonly kmsKeyId?: string;
  /** Reserved `aws:` tags are allowed here, as EC2 itself sets them. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly ownerId?: string;
}

/** A running stand-in of EC2 and STS. */
export interface Ec2StandIn extends Listener {
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Puts a volume there, available at once; one that exists stays as it is. Returns its id. */
  addVolume(seed: VolumeSeed): string;
  /** Makes the next snapshot of a volume, volume of a snapshot, or copy of a snapshot end in the state error. */
  failNextSnapshot(sourceId: string, message: string): void;
  /** Makes a snapshot look like that of a registered image, so that it cannot be deleted. */
  useSnapshotInImage(region: string, snapshotId: string, imageId: string): void;
  /** Takes a region away: every request to it is reset before it is looked at, until it is given back. */
  loseRegion(region: string): FaultHandle;
}

const defaultRegions = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"];

/** Starts a stand-in of EC2, with STS behind the same address. */
export async function startEc2(options: Ec2Options): Promise<Ec2StandIn> {
  const folder = join(options.stateDir, "ec2");
  mkdirSync(folder, { recursive: true });
  const regions = new Map((options.regions ?? defaultRegions).map((name) => [name, new RegionState(name, folder)]));
  const failures = new Map<string, string>();
  const service = {
    regions,
    failures,
    accounts: toAccounts(options.accounts),
    faults: options.faults ?? new Faults(),
    log: new RequestLog(),
    roles: options.roles ?? [],
    settings: settingsOf(options),
    now: options.now ?? (() => new Date()),
  };
  const listener = await listen(
    (request: IncomingMessage, response: ServerResponse, askForBody) => {
      askForBody();
      void serveQuery(service, request, response);
    },
    { port: options.port, tls: options.tls },
  );
  return {
    ...listener,
    faults: service.faults,
    log: service.log,
    addVolume: (seed) => addVolume(regionOfZone(regions, seed.zone), seed, service.now()),
    failNextSnapshot: (sourceId, message) => void failures.set(sourceId, message),
    useSnapshotInImage: (name, snapshotId, imageId) => {
      const region = regions.get(name);
      const snapshot: Snapshot | undefined = region?.snapshots.get(snapshotId);
      if (region === undefined || snapshot === undefined) throw new Error(`no snapshot ${snapshotId} in ${name}`);
      region.snapshots.set(snapshotId, { ...snapshot, imageId });
      region.save();
    },
    loseRegion: (name) =>
      service.faults.add(
        { kind: "cut-request", afterBytes: 0 },
        { where: ({ headers }) => regionOfScope(headers.get("authorization")) === name },
        { times: Number.POSITIVE_INFINITY },
      ),
  };
}

/** The region that a request is signed for: EC2 has an endpoint of its own for each, this stand-in one for all. */
function regionOfScope(authorization: string | undefined): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\/ec2\//.exec(authorization ?? "")?.[1];
}

function settingsOf({ pendingMs = 0, copyMs = pendingMs, ...options }: Ec2Options): Ec2Settings {
  return {
    pendingMs,
    copyMs,
    maxConcurrentCopies: options.maxConcurrentCopies ?? 20,
    missingTypes: options.missingTypes ?? {},
    kms: options.kms ?? {},
  };
}

function regionOfZone(regions: ReadonlyMap<string, RegionState>, zone: string): RegionState {
  const found = [...regions.values()].find((region) => region.zones.includes(zone));
  if (found === undefined) throw new Error(`no zone ${zone} in the regions ${[...regions.keys()].join(", ")}`);
  return found;
}

function addVolume(region: RegionState, seed: VolumeSeed, now: Date): string {
  const id = seed.id ?? newId("vol");
  checkId("vol", id);
  if (region.volumes.has(id)) return id;
  const type = seed.type ?? "gp3";
  const iops = settleIops(type, seed.sizeGiB, seed.iops);
  const volume: Volume = {
    id,
    ownerId: seed.ownerId ?? defaultAccountId,
    zone: seed.zone,
    type,
    sizeGiB: seed.sizeGiB,
    iops,
    throughput: settleThroughput(type, iops, seed.throughput),
    isEncrypted: seed.isEncrypted ?? seed.kmsKeyId !== undefined,
    kmsKeyId: seed.kmsKeyId,
    snapshotId: undefined,
    isMultiAttach: false,
    createdMs: now.getTime(),
    readyMs: now.getTime(),
    failure: undefined,
    tags: seed.tags ?? {},
  };
  region.volumes.set(id, volume);
  region.save();
  return id;
}
