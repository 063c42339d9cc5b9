import { join } from "node:path";

import type { VolumeSnapshotterClient } from "@flotilla/host";
import { gcpDefaults, startGce, startGoogleIdentity } from "@flotilla/test/emulators";
import type {
  Fault,
  FaultHandle,
  GceDiskSeed,
  GceOptions,
  GceSnapshotSeed,
  GceStandIn,
  GoogleIdentityStandIn,
  LoggedRequest,
} from "@flotilla/test/emulators";

import { until } from "../wire/until.ts";
import { openWorkspace } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";

/** The project of every test that needs no other. */
export const project: string = gcpDefaults.projectId;

/** The projects that there are. */
const projects = [project, "vault", "team-red", "team-blue"] as const;

/** The name of a key in Cloud KMS; "backups" and "disks" may be used. */
export function kmsKey(name: string): string {
  return `projects/${project}/locations/us-central1/keyRings/velero/cryptoKeys/${name}`;
}

/** How a VolumeSnapshotLocation differs from the usual one. */
interface SnapshotterOptions {
  /** Keys of the VolumeSnapshotLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** The service account whose key the location has. Default: the stand-in's usual one. */
  readonly account?: string;
  /** Its credentials in JSON, in place of such a key. */
  readonly credentials?: string;
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** Which requests a fault meets. */
interface FaultedRequests {
  readonly operation: string;
  /** The last name of the request's path. */
  readonly name?: string;
  readonly times?: number;
}

/** What tests look at of a disk or a snapshot, as the API answers it. */
interface Resource {
  readonly name: string;
  readonly status: string;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly replicaZones?: readonly string[];
  readonly provisionedIops?: string;
  readonly provisionedThroughput?: string;
  readonly diskEncryptionKey?: { readonly kmsKeyName: string };
  readonly sourceSnapshot?: string;
  readonly sourceDisk?: string;
  readonly snapshotType?: string;
  readonly storageLocations?: readonly string[];
  readonly snapshotEncryptionKey?: { readonly kmsKeyName: string };
}

/** A stand-in of Compute Engine and a plugin process, shared by the tests of one file. */
export interface VolumeRig extends Workspace {
  readonly gce: GceStandIn;
  readonly identity: GoogleIdentityStandIn;
  readonly session: Session;
  /** Opens a location whose disks and snapshots are in the project of its credentials. */
  open(options?: SnapshotterOptions): Promise<VolumeSnapshotterClient>;
  /** Puts a disk there, with a name of its own unless one is given, and answers its name. */
  addDisk(seed?: Partial<GceDiskSeed>): string;
  /** Puts a snapshot there and answers its name. */
  addSnapshot(seed: GceSnapshotSeed): string;
  /** A disk; in the usual zone and project unless told. */
  disk(name: string, place?: string, ofProject?: string): Resource;
  snapshot(name: string, ofProject?: string): Resource;
  /** The names of the usual project's disks and snapshots that begin like this. */
  namesLike(start: string): Promise<readonly string[]>;
  untilReady(snapshot: string, ofProject?: string): Promise<void>;
  untilGone(snapshot: string, ofProject?: string): Promise<void>;
  /** The requests that reached Compute Engine; of one operation where it is given. */
  requests(operation?: string): readonly LoggedRequest[];
  fault(fault: Fault, requests: FaultedRequests): FaultHandle;
}

/** The end of a disk type's URL. */
export function typeUrl(type: string, zone: string = gcpDefaults.zone, ofProject: string = project): string {
  return `projects/${ofProject}/zones/${zone}/diskTypes/${type}`;
}

/** Starts the stand-ins and a plugin process. */
export async function startVolumeRig(options: Omit<GceOptions, "stateDir" | "tokens"> = {}): Promise<VolumeRig> {
  const workspace = await openWorkspace();
  const identity = await startGoogleIdentity({ serviceAccounts: [{ email: gcpDefaults.serviceAccount }] });
  workspace.own(identity);
  const gce = await startGce({
    projects,
    kmsKeys: [kmsKey("backups"), kmsKey("disks")],
    ...options,
    stateDir: join(workspace.folder, "state"),
    tokens: identity.tokens,
  });
  workspace.own(gce);
  const session = workspace.start();
  const counts = { disks: 0, files: 0 };
  return {
    ...workspace,
    ...lookingAt(gce),
    namesLike: async (start) => (await namesIn(gce)).filter((name) => name.startsWith(start)),
    gce,
    identity,
    session,
    open: async ({ config, account = gcpDefaults.serviceAccount, credentials, session: other = session } = {}) => {
      const snapshotter = other.manager.getVolumeSnapshotter("velero.io/gcp");
      counts.files += 1;
      const json = credentials ?? identity.serviceAccountKey(account);
      const credentialsFile = await workspace.writeCredentials(`location-${counts.files}`, json);
      await snapshotter.init({ endpoint: gce.url, credentialsFile, ...config });
      return snapshotter;
    },
    addDisk: (seed) => {
      counts.disks += 1;
      const name = seed?.name ?? `pvc-${counts.disks}`;
      gce.addDisk({ ...seed, name });
      return name;
    },
    addSnapshot: (seed) => {
      gce.addSnapshot(seed);
      return seed.name;
    },
    fault: (fault, { operation, name, times = 1 }) =>
      gce.faults.add(fault, { operation, ...(name === undefined ? {} : { key: new RegExp(`/${name}$`) }) }, { times }),
  };
}

type Looking = Pick<VolumeRig, "disk" | "snapshot" | "untilReady" | "untilGone" | "requests">;

function lookingAt(gce: GceStandIn): Looking {
  const find = (path: string): Resource => {
    const found = gce.find(path);
    if (found === undefined) throw new Error(`there is no ${path}`);
    // The reference gives the form of the answer.
    return found as unknown as Resource;
  };
  const pathOf = (snapshot: string, ofProject = project): string =>
    `projects/${ofProject}/global/snapshots/${snapshot}`;
  return {
    disk: (name, place = `zones/${gcpDefaults.zone}`, ofProject = project) =>
      find(`projects/${ofProject}/${place}/disks/${name}`),
    snapshot: (name, ofProject) => find(pathOf(name, ofProject)),
    untilReady: async (name, ofProject) => {
      await until(`snapshot ${name} was ready`, () => gce.find(pathOf(name, ofProject))?.["status"] === "READY");
    },
    untilGone: async (name, ofProject) => {
      await until(`snapshot ${name} was gone`, () => gce.find(pathOf(name, ofProject)) === undefined);
    },
    requests: (operation) => gce.log.entries(operation),
  };
}

/** Asks with a token of its own, which no denied permission of a test's account meets. */
async function namesIn(gce: GceStandIn): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${gce.tokens.issue("probe@flotilla.iam.gserviceaccount.com")}` };
  const list = async (path: string): Promise<string> => {
    const answer = await fetch(`${gce.url}/compute/v1/projects/${project}/${path}`, { headers });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
    return await answer.text();
  };
  const texts = [await list("global/snapshots"), await list("aggregated/disks")];
  return texts.flatMap((text) => [...text.matchAll(/"name":\s*"([^"]+)"/g)].map(([, name = ""]) => name));
}
