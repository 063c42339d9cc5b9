import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { azureDefaults, startAzureArm, startAzureBlob } from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../../emulators/throwaway-certificate.ts";
import { createProbe } from "../../wire-azure/blob-rig.ts";
import { ownerLines } from "../../wire-azure/harness.ts";
import { armId, armProbe } from "../../wire-azure/volume-rig.ts";
import type { Cloud, ClusterVolume, PersistentVolume } from "./cloud.ts";

const account = "flotilla";
const bucket = "velero-backups";
const keyLine = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY";
const zone = `${azureDefaults.location}-1`;
const sizeGiB = 32;
const groupScope = `/subscriptions/${azureDefaults.subscriptionId}/resourceGroups/${azureDefaults.resourceGroup}`;
// How long an operation is in progress.
const pendingMs = 700;

/** Starts Blob Storage, Resource Manager and Entra, with two disks. */
export async function startAzure(folder: string): Promise<Cloud> {
  const tls = createThrowawayCertificate("Azure stand-ins");
  const arm = await startAzureArm({ tls, stateDir: join(folder, "azure-arm"), pendingMs });
  const key = randomBytes(64).toString("base64");
  const blob = await startAzureBlob({
    tls,
    stateDir: join(folder, "azure-blob"),
    accounts: [{ name: account, keys: [key], containers: [bucket] }],
    tokens: arm.tokens,
  });
  const compute = armProbe(arm);
  const { resourceGroup } = azureDefaults;
  const service = createProbe(blob, tls.cert, { name: account, key });
  for (const name of ["pvc-csi", "pvc-in-tree"])
    arm.addDisk({ name, sku: "Premium_LRS", sizeGiB, zones: ["1"], tags: { "k8s-azure-created-by": "test" } });
  const snapshots = async (): Promise<readonly string[]> =>
    (await Array.fromAsync(compute.snapshots.listByResourceGroup(resourceGroup))).map(({ id = "" }) => id);
  return {
    provider: "azure",
    bucket,
    keys: {
      credentials: linesOf({ ...ownerLines, [keyLine]: key }),
      caCert: tls.cert,
      config: {
        storageAccount: account,
        storageAccountURI: blob.accountUrl(account),
        storageAccountKeyEnvVar: keyLine,
      },
      volumeConfig: {
        endpoint: arm.url,
        activeDirectoryAuthorityURI: arm.authorityUrl,
        caCert: tls.cert,
      },
    },
    refusedCredentials: linesOf({ ...ownerLines, [keyLine]: randomBytes(64).toString("base64") }),
    refusal: [/AuthenticationFailed/, /key/i],
    volumes: [csiVolume("pvc-csi"), inTreeVolume("pvc-in-tree")],
    faults: blob.faults,
    contentsPut: (backup) => ({ operation: "PutBlob", key: new RegExp(`/${backup}\\.tar\\.gz$`) }),
    snapshotPermission: "Microsoft.Compute/snapshots/write",
    refuseSnapshots: () => arm.deny({ actions: ["Microsoft.Compute/snapshots/write"], scope: groupScope }),
    objectFile: (key) => blob.blobFile(account, bucket, key),
    volumeOf,
    hasVolume: async (id) => (await diskNames(compute)).includes(id),
    removeVolume: async (id) => await compute.disks.delete(resourceGroup, id, { updateIntervalInMs: 50 }),
    sourceOf: async (id) => (await compute.disks.get(resourceGroup, id)).creationData?.sourceResourceId ?? "",
    snapshots,
    objects: async () =>
      (await Array.fromAsync(service.getContainerClient(bucket).listBlobsFlat())).map((item) => item.name),
    close: async () => void (await Promise.all([blob.close(), arm.close()])),
  };
}

async function diskNames(compute: ReturnType<typeof armProbe>): Promise<readonly string[]> {
  const disks = await Array.fromAsync(compute.disks.listByResourceGroup(azureDefaults.resourceGroup));
  return disks.map(({ name = "" }) => name);
}

function csiVolume(name: string): ClusterVolume {
  return {
    name: "csi",
    id: name,
    labels: {},
    sizeGiB,
    spec: {
      csi: { driver: "disk.csi.azure.com", volumeHandle: armId("disks", name), fsType: "ext4" },
      nodeAffinity: nodeAffinity("topology.disk.csi.azure.com/zone"),
    },
  };
}

function inTreeVolume(name: string): ClusterVolume {
  return {
    name: "in-tree",
    id: name,
    labels: { "topology.kubernetes.io/region": azureDefaults.location, "topology.kubernetes.io/zone": zone },
    sizeGiB,
    spec: {
      azureDisk: { diskName: name, diskURI: armId("disks", name), kind: "Managed", cachingMode: "ReadOnly" },
      nodeAffinity: nodeAffinity("topology.kubernetes.io/zone"),
    },
  };
}

function nodeAffinity(key: string): object {
  return { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values: [zone] }] }] } };
}

function volumeOf({ spec }: PersistentVolume): string {
  return /\/disks\/([^"/]+)"/.exec(JSON.stringify(spec["csi"] ?? spec["azureDisk"] ?? ""))?.[1] ?? "";
}

function linesOf(lines: Readonly<Record<string, string>>): string {
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
