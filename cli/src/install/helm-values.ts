import { cronJobs } from "./cron-jobs.ts";
import { usesSecret, workloadIdentity } from "./identity.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { initContainer, storeConfig } from "./kubernetes-objects.ts";
import { serverResources } from "./resources.ts";

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
          default: true,
          accessMode: store.isReadOnly ? "ReadOnly" : "ReadWrite",
          ...(store.caCert === undefined ? {} : { caCert: Buffer.from(store.caCert).toString("base64") }),
          ...credentialOf(settings),
          config: storeConfig(settings),
        },
      ],
      volumeSnapshotLocation:
        volumes === undefined
          ? []
          : [{ name: volumes.name, provider, ...credentialOf(settings), config: volumes.config }],
    },
    snapshotsEnabled: volumes !== undefined,
    credentials: credentials(settings),
    // The CronJobs use it by this name.
    serviceAccount: { server: { create: true, name: "velero", annotations } },
    podLabels,
    resources: serverResources(settings),
    extraObjects: cronJobs(settings),
  };
}

/** The server's environment names the Secret for the clouds' own tools; restic's is found where the location names it. */
function credentialOf(settings: InstallSettings): object {
  if (settings.cloud !== "restic" || !usesSecret(settings)) return {};
  return { credential: { name: secretName, key: secretKey } };
}

function credentials(settings: InstallSettings): object {
  if (!usesSecret(settings)) return { useSecret: false };
  if (settings.credentials === undefined) return { useSecret: true, existingSecret: secretName };
  return { useSecret: true, name: secretName, secretContents: { [secretKey]: settings.credentials.text } };
}
