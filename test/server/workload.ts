import type { Cloud, PersistentVolume } from "./clouds/cloud.ts";
import type { Cluster } from "./cluster.ts";
import { until } from "./until.ts";

/** The namespace of the workload. */
export const workload = "shop";

/** What a restore must bring back as it was. */
export interface Contents {
  readonly configMaps: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
}

/** Makes a namespace with settings, secrets, and a claim on each of the cloud's volumes, and waits until they are bound. */
export async function createWorkload(cluster: Cluster, cloud: Cloud): Promise<void> {
  const volumes = cloud.volumes.flatMap(({ name, labels, spec, sizeGiB }) => [
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: `pv-${name}`, labels },
      spec: {
        ...spec,
        capacity: { storage: `${sizeGiB}Gi` },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "",
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: workload, name },
      },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name, namespace: workload },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
        volumeName: `pv-${name}`,
        resources: { requests: { storage: `${sizeGiB}Gi` } },
      },
    },
  ]);
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: workload } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: workload },
      data: { greeting: "Grüß Gott, 世界", "motd.txt": "spaces at the end:   \n\n\ttabs & <tags>\n" },
      binaryData: { "favicon.ico": Buffer.from([0, 0, 1, 0, 255, 128]).toString("base64") },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "database", namespace: workload },
      data: { password: Buffer.from("correct horse battery staple").toString("base64") },
    },
    // More than one part of an upload, and nothing that gzip makes small.
    ...Array.from({ length: 4 }, (_, index) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `large-${index}`, namespace: workload },
      binaryData: { bytes: incompressible(600_000, index).toString("base64") },
    })),
    ...volumes,
  ];
  await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await untilBound(cluster, cloud);
}

/** Waits until each claim is bound to its volume. */
export async function untilBound(cluster: Cluster, cloud: Cloud): Promise<void> {
  const phases = async (): Promise<readonly string[]> => {
    const { items } = await cluster.read<{ items: readonly PersistentVolume[] }>("pvc", "--namespace", workload);
    return items.map(({ metadata, status }) => `${metadata.name} ${status.phase}`);
  };
  await until(
    "the claims are bound",
    async () => {
      const all = await phases();
      return all.length === cloud.volumes.length && all.every((text) => text.endsWith(" Bound"));
    },
    { instead: async () => (await phases()).join(", ") },
  );
}

/** The PersistentVolumes of the workload, by the names of their claims. */
export async function volumesOf(cluster: Cluster): Promise<ReadonlyMap<string, PersistentVolume>> {
  const { items } = await cluster.read<{ items: readonly PersistentVolume[] }>("pv");
  // The API's own form.
  return new Map(items.map((volume) => [(volume.spec["claimRef"] as { name: string }).name, volume]));
}

/** What is in the settings and secrets, without what the cluster adds of its own. */
export async function contentsOf(cluster: Cluster): Promise<Contents> {
  interface Item {
    readonly metadata: { readonly name: string };
    readonly data?: object;
    readonly binaryData?: object;
  }
  const read = async (kind: string): Promise<Record<string, unknown>> => {
    const { items } = await cluster.read<{ items: readonly Item[] }>(kind, "--namespace", workload);
    const own = items.filter(({ metadata }) => metadata.name !== "kube-root-ca.crt");
    return Object.fromEntries(own.map(({ metadata, data, binaryData }) => [metadata.name, { data, binaryData }]));
  };
  return { configMaps: await read("configmaps"), secrets: await read("secrets") };
}

/** Loses everything: the namespace, the PersistentVolumes, and the cloud's volumes behind them. */
export async function loseWorkload(cluster: Cluster, cloud: Cloud): Promise<void> {
  const volumes = await volumesOf(cluster);
  await cluster.kubectl(["delete", "namespace", workload, "--wait", "--timeout=120s"]);
  for (const volume of volumes.values()) {
    await cluster.kubectl(["delete", "pv", volume.metadata.name, "--wait", "--timeout=60s"]);
    await cloud.removeVolume(cloud.volumeOf(volume));
  }
}

/** Bytes that no compression makes smaller, and the same in each run. */
function incompressible(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed + 0x9e37_79b9;
  for (let at = 0; at < size; at += 1) {
    // Numerical Recipes' generator, of which the upper bits are used.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
