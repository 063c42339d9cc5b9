import { workloadIdentity } from "./identity.ts";
import type { InstallSettings } from "./install-settings.ts";
import { locationFiles, locationsMap, locationsName, locationsPath } from "./job-locations.ts";
import { fileOf, mountedSecrets } from "./job-secrets.ts";
import type { JobKind } from "./job-secrets.ts";
import { containerSecurity, imageUser, initContainer } from "./kubernetes-objects.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";
import { jobResources } from "./resources.ts";

/** What must run beside backups, as CronJobs of the command line's image, with the locations that they read. */
export function cronJobs(settings: InstallSettings): readonly KubernetesObject[] {
  const { schedules, copyTo } = settings;
  return [
    locationsMap(settings),
    job(settings, { kind: "verify", schedule: schedules.verify, words: verifyWords(settings) }),
    ...(copiesSnapshots(settings)
      ? [job(settings, { kind: "volume-copy", schedule: schedules.copy, words: volumeWords })]
      : []),
    ...(copyTo === undefined
      ? []
      : [job(settings, { kind: "backup-copy", schedule: schedules.copy, words: copyWords })]),
  ];
}

interface Job {
  readonly kind: JobKind;
  readonly schedule: string;
  readonly words: readonly string[];
}

function verifyWords({ volumes }: InstallSettings): readonly string[] {
  const snapshots = volumes === undefined ? [] : ["--volume-location", locationFiles.volumes, "--wait", "30m"];
  return ["backup", "verify", "--newest", "1", "--location", locationFiles.store, ...snapshots];
}

const volumeWords = ["volume", "copy", "--all", "--watch", "--timeout", "5h", "--volume-location"].concat(
  locationFiles.volumes,
);

const copyWords = ["backup", "copy", "--newest", "7"].concat(
  ["--from", locationFiles.store],
  ["--to", locationFiles.target],
);

function copiesSnapshots({ volumes }: InstallSettings): boolean {
  return (volumes?.config["copyToRegions"] ?? "") !== "";
}

function job(settings: InstallSettings, { kind, schedule, words }: Job): KubernetesObject {
  const { namespace } = settings;
  const { podLabels } = workloadIdentity(settings);
  const name = `flotilla-${kind}`;
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
          template: { metadata: { labels }, spec: podSpec(settings, kind, words) },
        },
      },
    },
  };
}

function podSpec(settings: InstallSettings, kind: JobKind, words: readonly string[]): object {
  const { copyTo } = settings;
  const secrets = mountedSecrets(settings, kind);
  const flags = secrets.flatMap((mounted) => (mounted.flag === undefined ? [] : [mounted.flag, fileOf(mounted)]));
  const isAnotherCloud = kind === "backup-copy" && copyTo !== undefined && copyTo.cloud !== settings.cloud;
  const others = isAnotherCloud ? [copyTo] : [];
  return {
    serviceAccountName: "velero",
    // It is the server's, who may do anything; the clouds' identities have tokens of their own.
    automountServiceAccountToken: namesSecret(settings),
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
        args: [...words, ...flags],
        // Where the plugins look for the Secrets that a location's keys name.
        env: [{ name: "VELERO_NAMESPACE", value: settings.namespace }],
        securityContext: containerSecurity,
        resources: jobResources(settings),
        volumeMounts: [
          { name: "plugins", mountPath: "/plugins", readOnly: true },
          { name: "locations", mountPath: locationsPath, readOnly: true },
          // The sockets of the plugins.
          { name: "tmp", mountPath: "/tmp" },
          ...secrets.map(({ volume }) => ({ name: volume, mountPath: `/${volume}`, readOnly: true })),
        ],
      },
    ],
    volumes: [
      { name: "plugins", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
      { name: "locations", configMap: { name: locationsName } },
      ...secrets.map(({ volume, secret }) => ({
        name: volume,
        secret: { secretName: secret.name, defaultMode: 0o440 },
      })),
    ],
  };
}

/** Whether a plugin reads a Secret of the cluster, which a key or an option of copies names. */
function namesSecret({ store, volumes, copyTo }: InstallSettings): boolean {
  const configs = [store.config, volumes?.config ?? {}, copyTo?.location.config ?? {}];
  return configs
    .flatMap(Object.entries<string>)
    .some(([key, value]) => key.endsWith("Secret") || value.includes("Secret="));
}
