import { workloadIdentity } from "./identity.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { serverResources } from "./resources.ts";
import { secretOf } from "./secrets.ts";
import type { Part } from "./secrets.ts";

/** One Kubernetes object, or the part of one that a patch sets. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** The user of the images. */
export const imageUser = 65_532;

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
} as const;

/** Of every container of ours. */
export const containerSecurity = hardened;

/** The init container that puts a plugin into the folder of plugins. */
export function initContainer(cloud: string, image: string): Readonly<Record<string, unknown>> {
  return {
    name: `flotilla-plugin-${cloud}`,
    image,
    imagePullPolicy: "IfNotPresent",
    securityContext: { ...hardened, runAsNonRoot: true },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [{ name: "plugins", mountPath: "/target" }],
  };
}

/** The BackupStorageLocation. */
export function backupStorageLocation(settings: InstallSettings): KubernetesObject {
  const { store, provider } = settings;
  return {
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name: store.name, namespace: settings.namespace, ...store.marks },
    spec: {
      provider,
      ...(store.isDefault === undefined ? {} : { default: store.isDefault }),
      ...(store.isReadOnly ? { accessMode: "ReadOnly" } : {}),
      ...store.frequencies,
      objectStorage: {
        bucket: store.bucket,
        ...(store.prefix === "" ? {} : { prefix: store.prefix }),
        ...(store.caCert === undefined ? {} : { caCert: Buffer.from(store.caCert).toString("base64") }),
        ...(store.caSecret === undefined ? {} : { caCertRef: store.caSecret }),
      },
      ...credentialOf(settings, "store"),
      config: storeConfig(settings),
    },
  };
}

/** The VolumeSnapshotLocation; none where volumes are left out. */
export function volumeSnapshotLocation(settings: InstallSettings): KubernetesObject[] {
  const { volumes, provider } = settings;
  if (volumes === undefined) return [];
  return [
    {
      apiVersion: "velero.io/v1",
      kind: "VolumeSnapshotLocation",
      metadata: { name: volumes.name, namespace: settings.namespace, ...volumes.marks },
      spec: { provider, ...credentialOf(settings, "volumes"), config: volumes.config },
    },
  ];
}

/** The location's keys. The official plugin, too, signs URLs by a pod's identity only where the location names it. */
export function storeConfig({ cloud, identity, store }: InstallSettings): Readonly<Record<string, string>> {
  return { ...(cloud === "gcp" && identity !== undefined ? { serviceAccount: identity } : {}), ...store.config };
}

/** The Secret with the credentials; none where they were not given. */
export function secret({ credentials, namespace }: InstallSettings): KubernetesObject[] {
  if (credentials === undefined) return [];
  return [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: secretName, namespace },
      type: "Opaque",
      stringData: { [secretKey]: credentials.text },
    },
  ];
}

/** What of the server's Deployment and service account is to be set, for a server-side apply. */
export function serverPatch(settings: InstallSettings): KubernetesObject[] {
  const { annotations, podLabels } = workloadIdentity(settings);
  const isMarked = Object.keys(annotations).length > 0;
  const metadata = Object.keys(podLabels).length > 0 ? { metadata: { labels: podLabels } } : {};
  const { namespace } = settings;
  return [
    ...(isMarked
      ? [{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "velero", namespace, annotations } }]
      : []),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "velero", namespace },
      spec: {
        template: {
          ...metadata,
          spec: {
            initContainers: [initContainer(settings.cloud, settings.image)],
            containers: [{ name: "velero", resources: serverResources(settings) }],
          },
        },
      },
    },
  ];
}

function credentialOf(settings: InstallSettings, part: Part): object {
  const credential = secretOf(settings, part);
  return credential === undefined ? {} : { credential };
}
