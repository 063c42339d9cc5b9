import { join } from "node:path";

import { DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { Snapshot, Volume } from "@aws-sdk/client-ec2";
import type { VolumeSnapshotterClient } from "@flotilla/host";
import { startEc2 } from "@flotilla/test/emulators";
import type { Account, Ec2Options, Ec2StandIn, VolumeSeed } from "@flotilla/test/emulators";

import { openWorkspace, owner } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";

/** How a VolumeSnapshotLocation differs from the usual one. */
interface SnapshotterOptions {
  /** Keys of the VolumeSnapshotLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** Whose credentials file the location names. Default: the owner's. */
  readonly account?: Account;
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** An EC2 stand-in and a plugin process, shared by the tests of one file. */
export interface VolumeRig extends Workspace {
  readonly ec2: Ec2StandIn;
  readonly session: Session;
  /** Opens a location in us-east-1. */
  open(options?: SnapshotterOptions): Promise<VolumeSnapshotterClient>;
  /** Puts a volume there, by default of 1 GiB in us-east-1a, and answers its id. */
  addVolume(seed?: Partial<VolumeSeed>): string;
  describeVolume(volumeId: string, region?: string): Promise<Volume>;
  /** A client of the vendor's, as somebody beside the plugin would use it. */
  probe(region: string): EC2Client;
  /** All snapshots that were made of a volume. */
  snapshotsOf(volumeId: string, region?: string): Promise<readonly Snapshot[]>;
}

/** Starts the stand-in and a plugin process. */
export async function startVolumeRig(standIn: Omit<Ec2Options, "stateDir" | "accounts"> = {}): Promise<VolumeRig> {
  const workspace = await openWorkspace();
  const ec2 = await startEc2({ ...standIn, stateDir: join(workspace.folder, "state"), accounts: workspace.accounts });
  workspace.own(ec2);
  const session = workspace.start();
  const probes = new Map<string, EC2Client>();
  workspace.own({ close: async () => probes.forEach((probe) => probe.destroy()) });
  const probe = (region: string): EC2Client => {
    const client = probes.get(region) ?? new EC2Client({ endpoint: ec2.url, region, credentials: owner });
    probes.set(region, client);
    return client;
  };
  return {
    ...workspace,
    ec2,
    session,
    open: async ({ config, account = owner, session: other = session } = {}) => {
      const snapshotter = other.manager.getVolumeSnapshotter("velero.io/aws");
      const credentialsFile = await workspace.writeCredentials(account.accessKeyId, account);
      await snapshotter.init({ region: "us-east-1", endpoint: ec2.url, credentialsFile, ...config });
      return snapshotter;
    },
    probe,
    addVolume: (seed) => ec2.addVolume({ zone: "us-east-1a", sizeGiB: 1, ...seed }),
    describeVolume: async (volumeId, region = "us-east-1") => {
      const { Volumes = [] } = await probe(region).send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
      const [volume] = Volumes;
      if (volume === undefined) throw new Error(`no volume ${volumeId}`);
      return volume;
    },
    snapshotsOf: async (volumeId, region = "us-east-1") => {
      const filters = { OwnerIds: ["self"], Filters: [{ Name: "volume-id", Values: [volumeId] }] };
      return (await probe(region).send(new DescribeSnapshotsCommand(filters))).Snapshots ?? [];
    },
  };
}

/** Tags in a plain form. */
export function tagsOf({ Tags = [] }: Pick<Volume | Snapshot, "Tags">): Readonly<Record<string, string>> {
  return Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}
