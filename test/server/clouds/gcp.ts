import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { gcpDefaults, startGce, startGcs, startGoogleIdentity } from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../../emulators/throwaway-certificate.ts";
import { officialGcpPlugin } from "../../interop/toolchain.ts";
import { createProbe } from "../../wire-gcp/gcs-rig.ts";
import { startConnectProxy } from "../../wire/connect-proxy.ts";
import { until } from "../until.ts";
import { furtherBucket } from "./cloud.ts";
import type { Cloud, ClusterVolume, OfficialPlugin, PersistentVolume, TwoRegions } from "./cloud.ts";

const { projectId: project, zone, region, otherRegion, serviceAccount } = gcpDefaults;
const otherZone = `${otherRegion}-b`;
const bucket = "velero-backups";
const copyBucket = "velero-copies";
const formerAccount = `former@${project}.iam.gserviceaccount.com`;
const sizeGb = 10;
// In the server's root.
const trusted = "/etc/ssl/certs/compute-engine.pem";
// How long an operation takes.
const pendingMs = 700;

async function startServices(folder: string) {
  const identity = await startGoogleIdentity({ serviceAccounts: [{ email: serviceAccount, projectId: project }] });
  const { tokens } = identity;
  const gcs = await startGcs({
    stateDir: join(folder, "gcs"),
    buckets: [
      ...[bucket, furtherBucket].map((name) => ({ name, location: region.toUpperCase() })),
      { name: copyBucket, location: otherRegion.toUpperCase() },
    ],
    tokens,
  });
  // In Google's own name too, by which the official plugin knows it.
  const tls = createThrowawayCertificate("Compute Engine stand-in", "ec", ["compute.googleapis.com"]);
  setDefaultCACertificates([...getCACertificates(), tls.cert]);
  const gce = await startGce({ stateDir: join(folder, "gce"), tokens, pendingMs, tls });
  const proxy = await startConnectProxy(Number(new URL(gce.url).port));
  for (const name of ["pvc-csi", "pvc-in-tree"]) gce.addDisk({ name, type: "pd-ssd", sizeGb });
  return { identity, tokens, gcs, gce, tls, proxy };
}

/** Starts Cloud Storage, Compute Engine and Google's identity endpoints, with two disks. */
export async function startGcp(folder: string): Promise<TwoRegions> {
  const { identity, tokens, gcs, gce, tls, proxy } = await startServices(folder);
  const refusedCredentials = identity.serviceAccountKey(formerAccount);
  identity.directory.removeServiceAccount(formerAccount);
  const headers = { authorization: `Bearer ${tokens.issue("probe@flotilla.iam.gserviceaccount.com")}` };
  const compute = async (path: string, method = "GET"): Promise<unknown> => {
    const answer = await fetch(`${gce.url}/compute/v1/projects/${project}/${path}`, { headers, method });
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const storage = createProbe(gcs);
  const looking = {
    disk: (name: string, place: string) => gce.find(diskPath(name, place)),
    snapshots: async () => {
      // The reference gives the form of the answer.
      const { items = [] } = (await compute("global/snapshots")) as { items?: readonly GceSnapshot[] };
      return items;
    },
    objects: async (name: string) => (await storage.bucket(name).getFiles())[0].map((file) => file.name),
  };
  const home: Cloud = {
    ...viewOf(looking, zone, bucket),
    keys: {
      credentials: identity.serviceAccountKey(serviceAccount),
      config: { storeEndpoint: gcs.storeEndpoint },
      volumeConfig: { endpoint: gce.url, caCert: tls.cert },
    },
    refusedCredentials,
    refusal: [/invalid_grant/, /key|account/i],
    official: officialThrough(proxy.url, tls.cert),
    volumes: [csiVolume("pvc-csi"), inTreeVolume("pvc-in-tree")],
    faults: gcs.faults,
    // The name is in the body: what tells it is its size.
    contentsPut: () => ({
      operation: "InsertObject",
      where: ({ headers }) => Number(headers.get("content-length")) > 1_000_000,
    }),
    snapshotPermission: "compute.disks.createSnapshot",
    refuseSnapshots: () => gce.deny({ permissions: ["compute.disks.createSnapshot"], member: serviceAccount }),
    objectFile: (key) => gcs.objectFile(bucket, key),
    removeVolume: async (id) => {
      await compute(`zones/${zone}/disks/${id}`, "DELETE");
      await until(`the disk ${id} is gone`, () => gce.find(diskPath(id, zone)) === undefined);
    },
    close: async () => void (await Promise.all([gcs.close(), gce.close(), identity.close(), proxy.close()])),
  };
  return {
    ...home,
    ...copying,
    elsewhere: {
      ...home,
      ...viewOf(looking, otherZone, copyBucket),
      keys: { ...home.keys, volumeConfig: { ...home.keys.volumeConfig, ...otherZones } },
    },
    loseRegion: () => {
      gce.refuseRegion(region);
      gcs.loseRegion(region.toUpperCase());
    },
  };
}

const copying: Pick<TwoRegions, "copiedKeys"> = {
  copiedKeys: {
    config: { copyTo: `gs://${copyBucket}` },
    // A multi-region outlives the loss of one, and then there is nothing to copy.
    volumeConfig: { snapshotLocation: region, copyToRegions: otherRegion },
  },
};
const otherZones = { zoneMap: `${zone}=${otherZone}`, defaultZone: `${otherRegion}-d` };

interface GceSnapshot {
  readonly name: string;
  readonly storageLocations: readonly string[];
}

interface Looking {
  readonly disk: (name: string, place: string) => Readonly<Record<string, unknown>> | undefined;
  readonly snapshots: () => Promise<readonly GceSnapshot[]>;
  readonly objects: (bucket: string) => Promise<readonly string[]>;
}

/** The services from within a zone. */
function viewOf({ disk, snapshots, objects }: Looking, place: string, ownBucket: string) {
  const isElsewhere = place === otherZone;
  return {
    provider: "gcp",
    bucket: ownBucket,
    volumeOf,
    hasVolume: async (id: string) => disk(id, place) !== undefined,
    sourceOf: async (id: string) => nameIn(disk(id, place)?.["sourceSnapshot"]),
    snapshots: async () => {
      const here = (await snapshots()).filter((one) => one.storageLocations.includes(otherRegion) === isElsewhere);
      return here.map(({ name }) => name);
    },
    objects: async () => await objects(ownBucket),
  } as const;
}

function officialThrough(proxyUrl: string, caPem: string): OfficialPlugin {
  return {
    plugin: officialGcpPlugin,
    env: { HTTPS_PROXY: proxyUrl, SSL_CERT_FILE: trusted },
    files: { [trusted]: caPem },
    withoutKeys: ["endpoint", "caCert"],
  };
}

function diskPath(name: string, place: string): string {
  return `projects/${project}/zones/${place}/disks/${name}`;
}

function csiVolume(name: string): ClusterVolume {
  return {
    name: "csi",
    id: name,
    labels: {},
    sizeGiB: sizeGb,
    spec: {
      csi: { driver: "pd.csi.storage.gke.io", volumeHandle: diskPath(name, zone), fsType: "ext4" },
      nodeAffinity: nodeAffinity("topology.gke.io/zone"),
    },
  };
}

function inTreeVolume(name: string): ClusterVolume {
  return {
    name: "in-tree",
    id: name,
    labels: { "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone },
    sizeGiB: sizeGb,
    spec: {
      gcePersistentDisk: { pdName: name, fsType: "ext4" },
      nodeAffinity: nodeAffinity("topology.kubernetes.io/zone"),
    },
  };
}

function nodeAffinity(key: string): object {
  return { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values: [zone] }] }] } };
}

function volumeOf({ spec }: PersistentVolume): string {
  const { csi, gcePersistentDisk } = spec;
  return nameIn(/"(?:volumeHandle|pdName)":"([^"]+)"/.exec(JSON.stringify(csi ?? gcePersistentDisk ?? ""))?.[1]);
}

function nameIn(path: unknown): string {
  return typeof path === "string" ? (path.split("/").at(-1) ?? "") : "";
}
