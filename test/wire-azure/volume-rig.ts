import { join } from "node:path";

import { ComputeManagementClient } from "@azure/arm-compute";
import type { Disk, Snapshot } from "@azure/arm-compute";
import type { VolumeSnapshotterClient } from "@flotilla/host";
import { armAudience, azureDefaults, startAzureArm } from "@flotilla/test/emulators";
import type { AzureArmOptions, AzureArmStandIn, DiskSeed } from "@flotilla/test/emulators";

import { openWorkspace, ownerLines } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";

/** How a VolumeSnapshotLocation differs from the usual one. */
interface SnapshotterOptions {
  /** Keys of the VolumeSnapshotLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** Lines of the credentials file beside or instead of the owner's. */
  readonly lines?: Readonly<Record<string, string>>;
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** An ARM stand-in and a plugin process, shared by the tests of one file. */
export interface VolumeRig extends Workspace {
  readonly arm: AzureArmStandIn;
  readonly session: Session;
  /** Opens a location whose disks and snapshots are in the resource group of the stand-in. */
  open(options?: SnapshotterOptions): Promise<VolumeSnapshotterClient>;
  /** Puts a disk there, with a name of its own unless one is given, and answers its name. */
  addDisk(seed?: Partial<DiskSeed>): string;
  describeDisk(name: string, resourceGroup?: string): Promise<Disk>;
  describeSnapshot(id: string): Promise<Snapshot>;
  /** All snapshots of one resource group. */
  snapshotsIn(resourceGroup: string): Promise<readonly Snapshot[]>;
  /** Deletes a snapshot from beside the plugin. */
  removeSnapshot(id: string): Promise<void>;
  /** All snapshots that were made of a disk, in one resource group. */
  snapshotsOf(diskName: string, resourceGroup?: string, subscriptionId?: string): Promise<readonly Snapshot[]>;
}

/** The ARM id of a disk or snapshot, as the official plugin writes it. */
export function armId(
  type: "disks" | "snapshots",
  name: string,
  resourceGroup: string = azureDefaults.resourceGroup,
  subscriptionId: string = azureDefaults.subscriptionId,
): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${type}/${name}`;
}

/** Starts the stand-in and a plugin process. */
export async function startVolumeRig(standIn: Omit<AzureArmOptions, "stateDir"> = {}): Promise<VolumeRig> {
  const workspace = await openWorkspace();
  const arm = await startAzureArm({ ...standIn, stateDir: join(workspace.folder, "state") });
  workspace.own(arm);
  const session = workspace.start();
  let disks = 0;
  let files = 0;
  return {
    ...workspace,
    arm,
    session,
    open: async ({ config, lines, session: other = session } = {}) => {
      const snapshotter = other.manager.getVolumeSnapshotter("velero.io/azure");
      files += 1;
      const credentialsFile = await workspace.writeCredentials(`location-${files}`, { ...ownerLines, ...lines });
      const { url: endpoint, authorityUrl: activeDirectoryAuthorityURI, caPem: caCert } = arm;
      await snapshotter.init({ endpoint, activeDirectoryAuthorityURI, caCert, credentialsFile, ...config });
      return snapshotter;
    },
    addDisk: (seed) => {
      disks += 1;
      const name = `pvc-${disks}`;
      arm.addDisk({ name, ...seed });
      return seed?.name ?? name;
    },
    describeDisk: async (name, resourceGroup = azureDefaults.resourceGroup) =>
      await armProbe(arm).disks.get(resourceGroup, name),
    describeSnapshot: async (id) => {
      const [, , subscriptionId, , resourceGroup = "", , , , name = ""] = id.split("/");
      return await armProbe(arm, subscriptionId).snapshots.get(resourceGroup, name);
    },
    snapshotsIn: async (resourceGroup) =>
      await Array.fromAsync(armProbe(arm).snapshots.listByResourceGroup(resourceGroup)),
    removeSnapshot: async (id) => {
      const [, , subscriptionId, , resourceGroup = "", , , , name = ""] = id.split("/");
      await armProbe(arm, subscriptionId).snapshots.delete(resourceGroup, name, { updateIntervalInMs: 20 });
    },
    snapshotsOf: async (diskName, resourceGroup = azureDefaults.resourceGroup, subscriptionId) => {
      const all = await Array.fromAsync(armProbe(arm, subscriptionId).snapshots.listByResourceGroup(resourceGroup));
      return all.filter(({ creationData }) => creationData?.sourceResourceId?.endsWith(`/disks/${diskName}`));
    },
  };
}

/** A client of the stand-in's own, which no denied permission of a test's application meets. */
export function armProbe(
  arm: AzureArmStandIn,
  subscriptionId: string = azureDefaults.subscriptionId,
): ComputeManagementClient {
  const { tenantId } = azureDefaults;
  const principal = { tenantId, clientId: "probe", objectId: "probe" };
  const credential = {
    getToken: async () => ({
      token: arm.tokens.issue(principal, armAudience),
      expiresOnTimestamp: Date.now() + 600_000,
    }),
  };
  return new ComputeManagementClient(credential, subscriptionId, {
    endpoint: arm.url,
    tlsOptions: { ca: arm.caPem },
    retryOptions: { maxRetries: 0 },
  });
}
