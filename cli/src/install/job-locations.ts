import { clusterYaml } from "./cluster-yaml.ts";
import type { InstallSettings } from "./install-settings.ts";
import { fileOf, ownSecrets } from "./job-secrets.ts";
import { storeConfig } from "./kubernetes-objects.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";

/** The ConfigMap with the locations that the CronJobs read. */
export const locationsName = "flotilla-locations";

/** Where it is mounted. */
export const locationsPath = "/locations";

/** The files in it, as the CronJobs see them. */
export const locationFiles = {
  store: `${locationsPath}/bsl.yaml`,
  volumes: `${locationsPath}/vsl.yaml`,
  target: `${locationsPath}/copy.yaml`,
} as const;

/** Without the Secrets' names, which say nothing to the command line: it reads the mounted files. */
export function locationsMap(settings: InstallSettings): KubernetesObject {
  const { store, volumes, copyTo, provider } = settings;
  const [ofStore, ofVolumes] = ownSecrets(settings).map((mounted) =>
    mounted.flag === undefined ? { credentialsFile: fileOf(mounted) } : {},
  );
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: locationsName, namespace: settings.namespace },
    data: {
      "bsl.yaml": storeFile({ ...store, provider, config: { ...storeConfig(settings), ...ofStore } }),
      ...(volumes === undefined
        ? {}
        : { "vsl.yaml": volumesFile({ ...volumes, provider, config: { ...volumes.config, ...ofVolumes } }) }),
      ...(copyTo === undefined ? {} : { "copy.yaml": storeFile(copyTo.location) }),
    },
  };
}

interface StoreFields {
  readonly name: string;
  readonly provider: string;
  readonly bucket: string | undefined;
  readonly prefix: string | undefined;
  readonly caCert: string | undefined;
  readonly config: Readonly<Record<string, string>>;
}

function storeFile({ name, provider, bucket, prefix = "", caCert, config }: StoreFields): string {
  return clusterYaml({
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name },
    spec: {
      provider,
      objectStorage: {
        bucket,
        ...(prefix === "" ? {} : { prefix }),
        ...(caCert === undefined ? {} : { caCert: Buffer.from(caCert).toString("base64") }),
      },
      config,
    },
  });
}

function volumesFile({ name, provider, config }: Pick<StoreFields, "name" | "provider" | "config">): string {
  return clusterYaml({
    apiVersion: "velero.io/v1",
    kind: "VolumeSnapshotLocation",
    metadata: { name },
    spec: { provider, config },
  });
}
