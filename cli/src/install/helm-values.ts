import { cronJobs } from "./cron-jobs.ts";
import { workloadIdentity } from "./identity.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { initContainer, storeConfig } from "./kubernetes-objects.ts";
import { serverResources } from "./resources.ts";
import { isOwnSecret, secretOf, usesOwnSecret } from "./secrets.ts";
import type { Part } from "./secrets.ts";

/** Values for the chart velero of vmware-tanzu's repository. */
export function helmValues(settings: InstallSettings): unknown {
  const { store, volumes, provider } = settings;
  const { annotations, podLabels } = workloadIdentity(settings);
  return {
    initContainers: [initContainer(settings.cloud, settings.image)],
    configuration: {
      backupStorageLocation: [
        {
          name: store.name,
          provider,
          bucket: store.bucket,
          ...(store.prefix === "" ? {} : { prefix: store.prefix }),
          default: store.isDefault ?? true,
          accessMode: store.isReadOnly ? "ReadOnly" : "ReadWrite",
          ...store.frequencies,
          ...(store.caCert === undefined ? {} : { caCert: Buffer.from(store.caCert).toString("base64") }),
          ...credentialOf(settings, "store"),
          config: storeConfig(settings),
        },
      ],
      volumeSnapshotLocation:
        volumes === undefined
          ? []
          : [{ name: volumes.name, provider, ...credentialOf(settings, "volumes"), config: volumes.config }],
    },
    snapshotsEnabled: volumes !== undefined,
    credentials: credentials(settings),
    // The CronJobs use it by this name.
    serviceAccount: { server: { create: true, name: "velero", annotations } },
    podLabels,
    resources: serverResources(settings),
    extraObjects: cronJobs(settings).map(literal),
  };
}

/** The server's environment names the Secret for the clouds' own tools; restic's is found where the location names it. */
function credentialOf(settings: InstallSettings, part: Part): object {
  const credential = secretOf(settings, part);
  if (credential === undefined || (settings.cloud !== "restic" && isOwnSecret(credential))) return {};
  return { credential };
}

function credentials(settings: InstallSettings): object {
  if (!usesOwnSecret(settings)) return { useSecret: false };
  if (settings.credentials === undefined) return { useSecret: true, existingSecret: secretName };
  return { useSecret: true, name: secretName, secretContents: { [secretKey]: literal(settings.credentials.text) } };
}

/** The chart takes these texts for templates of its own: what looks like one is said to be none. */
function literal(value: unknown): unknown {
  // With no quotation marks, which YAML would escape before the template is read.
  if (typeof value === "string") return value.replaceAll("{{", "{{`{{`}}");
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]: [string, unknown]) => [name, literal(item)]));
}
