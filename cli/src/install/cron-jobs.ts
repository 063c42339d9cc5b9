import { clusterYaml } from "./cluster-yaml.ts";
import { usesSecret, workloadIdentity } from "./identity.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import {
  backupStorageLocation,
  containerSecurity,
  imageUser,
  initContainer,
  volumeSnapshotLocation,
} from "./kubernetes-objects.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";
import { jobResources } from "./resources.ts";

/** The Secret with the identity of the location that backups are copied to. */
export const copySecretName = "flotilla-copy-credentials";

const configMapName = "flotilla-locations";
const locations = { name: "locations", mountPath: "/locations" };
const store = `${locations.mountPath}/bsl.yaml`;
const volumes = `${locations.mountPath}/vsl.yaml`;
const target = `${locations.mountPath}/copy.yaml`;

/** What must run beside backups, as CronJobs of the command line's image, with the locations that they read. */
export function cronJobs(settings: InstallSettings): readonly KubernetesObject[] {
  return [
    locationsMap(settings),
    job(settings, { name: "flotilla-verify", schedule: settings.schedules.verify, args: verifyArgs(settings) }),
    ...(copiesSnapshots(settings)
      ? [job(settings, { name: "flotilla-volume-copy", schedule: settings.schedules.copy, args: volumeArgs(settings) })]
      : []),
    ...(settings.copyTo === undefined
      ? []
      : [job(settings, { name: "flotilla-backup-copy", schedule: settings.schedules.copy, args: copyArgs(settings) })]),
  ];
}

interface Job {
  readonly name: string;
  readonly schedule: string;
  readonly args: readonly string[];
}

/** Without the Secret's name, which says nothing to the command line: it reads the mounted file. */
function locationsMap(settings: InstallSettings): KubernetesObject {
  const [volumeLocation] = volumeSnapshotLocation(settings, { namesCredential: false });
  const { copyTo } = settings;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: configMapName, namespace: settings.namespace },
    data: {
      "bsl.yaml": clusterYaml(backupStorageLocation(settings, { namesCredential: false })),
      ...(volumeLocation === undefined ? {} : { "vsl.yaml": clusterYaml(volumeLocation) }),
      ...(copyTo === undefined ? {} : { "copy.yaml": copyLocation(copyTo) }),
    },
  };
}

function copyLocation({ location }: NonNullable<InstallSettings["copyTo"]>): string {
  const { name, provider, bucket, prefix, caCert, config } = location;
  return clusterYaml({
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name },
    spec: {
      provider,
      objectStorage: {
        bucket,
        ...(prefix === undefined ? {} : { prefix }),
        ...(caCert === undefined ? {} : { caCert: Buffer.from(caCert).toString("base64") }),
      },
      config,
    },
  });
}

function verifyArgs(settings: InstallSettings): readonly string[] {
  const snapshots = settings.volumes === undefined ? [] : ["--volume-location", volumes, "--wait", "30m"];
  return ["backup", "verify", "--newest", "1", "--location", store, ...snapshots, ...credentialArgs(settings)];
}

function volumeArgs(settings: InstallSettings): readonly string[] {
  const words = ["volume", "copy", "--all", "--watch", "--timeout", "5h", "--volume-location", volumes];
  return [...words, ...credentialArgs(settings)];
}

function copyArgs(settings: InstallSettings): readonly string[] {
  const own = usesSecret(settings) ? ["--from-credentials-file", `/credentials/${secretKey}`] : [];
  const others = ["--to-credentials-file", `/copy-credentials/${secretKey}`];
  return ["backup", "copy", "--newest", "7", "--from", store, "--to", target, ...own, ...others];
}

function credentialArgs(settings: InstallSettings): readonly string[] {
  return usesSecret(settings) ? ["--credentials-file", `/credentials/${secretKey}`] : [];
}

function copiesSnapshots({ volumes }: InstallSettings): boolean {
  return (volumes?.config["copyToRegions"] ?? "") !== "";
}

function job(settings: InstallSettings, { name, schedule, args }: Job): KubernetesObject {
  const { namespace } = settings;
  const { podLabels } = workloadIdentity(settings);
  const isPair = args.includes("--to");
  const labels = { "app.kubernetes.io/name": "flotilla", "app.kubernetes.io/component": name, ...podLabels };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace, labels: { "app.kubernetes.io/name": "flotilla" } },
    spec: {
      schedule,
      // Two at once would only read everything twice.
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        spec: {
          backoffLimit: 1,
          activeDeadlineSeconds: 6 * 3600,
          template: { metadata: { labels }, spec: podSpec(settings, args, isPair) },
        },
      },
    },
  };
}

function podSpec(settings: InstallSettings, args: readonly string[], isPair: boolean): object {
  const { copyTo } = settings;
  const secrets = [
    ...(usesSecret(settings) ? [{ name: "credentials", secretName }] : []),
    ...(isPair ? [{ name: "copy-credentials", secretName: copySecretName }] : []),
  ];
  const others = isPair && copyTo !== undefined && copyTo.cloud !== settings.cloud ? [copyTo] : [];
  return {
    serviceAccountName: "velero",
    restartPolicy: "Never",
    securityContext: {
      runAsNonRoot: true,
      runAsUser: imageUser,
      runAsGroup: imageUser,
      // The tokens of a pod's identity and the Secrets are readable by this group.
      fsGroup: imageUser,
      seccompProfile: { type: "RuntimeDefault" },
    },
    initContainers: [
      initContainer(settings.cloud, settings.image),
      ...others.map(({ cloud, image }) => initContainer(cloud, image)),
    ],
    containers: [
      {
        name: "flotilla",
        image: settings.cliImage,
        imagePullPolicy: "IfNotPresent",
        args,
        // Where the plugins look for the Secrets that a location's keys name.
        env: [{ name: "VELERO_NAMESPACE", value: settings.namespace }],
        securityContext: containerSecurity,
        resources: jobResources(settings),
        volumeMounts: [
          { name: "plugins", mountPath: "/plugins", readOnly: true },
          { ...locations, readOnly: true },
          // The sockets of the plugins.
          { name: "tmp", mountPath: "/tmp" },
          ...secrets.map(({ name }) => ({ name, mountPath: `/${name}`, readOnly: true })),
        ],
      },
    ],
    volumes: [
      { name: "plugins", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
      { name: locations.name, configMap: { name: configMapName } },
      ...secrets.map(({ name, secretName }) => ({ name, secret: { secretName, defaultMode: 0o440 } })),
    ],
  };
}
