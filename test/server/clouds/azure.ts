import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { azureDefaults, startAzureArm, startAzureBlob } from "@flotilla/test/emulators";
import type { AzureArmStandIn, AzureBlobStandIn } from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../../emulators/throwaway-certificate.ts";
import { createProbe } from "../../wire-azure/blob-rig.ts";
import { ownerLines } from "../../wire-azure/harness.ts";
import { armId, armProbe } from "../../wire-azure/volume-rig.ts";
import type { Cloud, ClusterVolume, PersistentVolume, TwoRegions } from "./cloud.ts";

const { subscriptionId, resourceGroup, location, otherLocation } = azureDefaults;
const account = "flotilla";
const otherAccount = "flotillacopies";
const bucket = "velero-backups";
const copyBucket = "velero-copies";
// Of the copies, and of the cluster in the other region.
const copiesGroup = "snapshot-copies";
const otherNodes = "other-cluster-nodes";
const keyLine = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY";
const otherKeyLine = "AZURE_OTHER_STORAGE_ACCOUNT_ACCESS_KEY";
const zone = `${location}-1`;
const sizeGiB = 32;
const groupScope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
// How long an operation is in progress.
const pendingMs = 700;

/** Starts Blob Storage, Resource Manager and Entra, with two disks. */
export async function startAzure(folder: string): Promise<TwoRegions> {
  const tls = createThrowawayCertificate("Azure stand-ins");
  const keys = { own: randomBytes(64).toString("base64"), other: randomBytes(64).toString("base64") };
  const arm = await startAzureArm({ tls, stateDir: join(folder, "azure-arm"), pendingMs });
  arm.addSubscription({ subscriptionId, resourceGroups: [resourceGroup, copiesGroup, otherNodes] });
  const blob = await startAzureBlob({
    tls,
    stateDir: join(folder, "azure-blob"),
    accounts: [
      { name: account, keys: [keys.own], region: location, containers: [bucket] },
      { name: otherAccount, keys: [keys.other], region: otherLocation, containers: [copyBucket] },
    ],
    tokens: arm.tokens,
  });
  for (const name of ["pvc-csi", "pvc-in-tree"])
    arm.addDisk({ name, sku: "Premium_LRS", sizeGiB, zones: ["1"], tags: { "k8s-azure-created-by": "test" } });
  const services = { arm, blob, caPem: tls.cert, keys };
  return {
    ...viewOf(services, { nodes: resourceGroup, snapshots: resourceGroup, account, bucket }),
    copiedKeys: {
      config: { copyTo: `azblob://${copyBucket}?${new URLSearchParams(storeKeys(blob, otherAccount)).toString()}` },
      volumeConfig: { incremental: "true", copyToRegions: `${otherLocation}?resourceGroup=${copiesGroup}` },
    },
    elsewhere: viewOf(services, {
      nodes: otherNodes,
      snapshots: copiesGroup,
      account: otherAccount,
      bucket: copyBucket,
      volumeConfig: {
        resourceGroup: copiesGroup,
        region: otherLocation,
        zoneMap: `${zone}=${otherLocation}-2`,
        defaultZone: `${otherLocation}-3`,
      },
    }),
    loseRegion: () => {
      arm.refuseRegion(location);
      blob.loseRegion(location);
    },
    close: async () => void (await Promise.all([blob.close(), arm.close()])),
  };
}

interface Services {
  readonly arm: AzureArmStandIn;
  readonly blob: AzureBlobStandIn;
  readonly caPem: string;
  readonly keys: { readonly own: string; readonly other: string };
}

/** The resource groups of a cluster's disks and of its snapshots, and its store. */
interface Place {
  readonly nodes: string;
  readonly snapshots: string;
  readonly account: string;
  readonly bucket: string;
  readonly volumeConfig?: Readonly<Record<string, string>>;
}

/** The services from within a region. */
function viewOf({ arm, blob, caPem, keys }: Services, place: Place): Cloud {
  const compute = armProbe(arm);
  const key = place.account === account ? keys.own : keys.other;
  const service = createProbe(blob, caPem, { name: place.account, key });
  const lines = { ...ownerLines, AZURE_RESOURCE_GROUP: place.nodes, [keyLine]: keys.own, [otherKeyLine]: keys.other };
  const disks = async () => await Array.fromAsync(compute.disks.listByResourceGroup(place.nodes));
  return {
    provider: "azure",
    bucket: place.bucket,
    keys: {
      credentials: linesOf(lines),
      caCert: caPem,
      config: storeKeys(blob, place.account),
      volumeConfig: {
        endpoint: arm.url,
        activeDirectoryAuthorityURI: arm.authorityUrl,
        caCert: caPem,
        ...place.volumeConfig,
      },
    },
    refusedCredentials: linesOf({ ...lines, [keyLine]: randomBytes(64).toString("base64") }),
    refusal: [/AuthenticationFailed/, /key/i],
    volumes: [csiVolume("pvc-csi"), inTreeVolume("pvc-in-tree")],
    faults: blob.faults,
    contentsPut: (backup) => ({ operation: "PutBlob", key: new RegExp(`/${backup}\\.tar\\.gz$`) }),
    snapshotPermission: "Microsoft.Compute/snapshots/write",
    refuseSnapshots: () => arm.deny({ actions: ["Microsoft.Compute/snapshots/write"], scope: groupScope }),
    objectFile: (key) => blob.blobFile(place.account, place.bucket, key),
    volumeOf,
    hasVolume: async (id) => (await disks()).some(({ name }) => name === id),
    removeVolume: async (id) => await compute.disks.delete(place.nodes, id, { updateIntervalInMs: 50 }),
    sourceOf: async (id) => (await compute.disks.get(place.nodes, id)).creationData?.sourceResourceId ?? "",
    snapshots: async () =>
      (await Array.fromAsync(compute.snapshots.listByResourceGroup(place.snapshots))).map(({ id = "" }) => id),
    objects: async () =>
      (await Array.fromAsync(service.getContainerClient(place.bucket).listBlobsFlat())).map(({ name }) => name),
    close: async () => undefined,
  };
}

function storeKeys(blob: AzureBlobStandIn, name: string): Record<string, string> {
  return {
    storageAccount: name,
    storageAccountURI: blob.accountUrl(name),
    storageAccountKeyEnvVar: name === account ? keyLine : otherKeyLine,
  };
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
    labels: { "topology.kubernetes.io/region": location, "topology.kubernetes.io/zone": zone },
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
