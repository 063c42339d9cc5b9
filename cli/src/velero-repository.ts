import { UsageError } from "./cli-error.ts";
import type { ObjectLocation, VolumeLocation } from "./location.ts";

/** The plugin that reads restic repositories. */
export const resticProvider = "flotilla.io/restic";

/**
 * The location of the restic repository into which the server backed up the pod volumes of a namespace, beside the
 * backups of this BackupStorageLocation: one repository for each namespace, named as the server names it.
 */
export function veleroRepositoryLocation(location: ObjectLocation, namespace: string): VolumeLocation {
  if (namespace === "") {
    throw new UsageError("add --namespace NAME: the server keeps one restic repository for each namespace");
  }
  const { credentialsFile } = location.config;
  return {
    name: location.name,
    provider: resticProvider,
    config: {
      repository: `${repositoryPrefix(location).replace(/\/+$/, "")}/${namespace}`,
      writtenBy: "velero",
      ...(credentialsFile === undefined ? {} : { credentialsFile }),
    },
  };
}

function repositoryPrefix({ provider, bucket, prefix, config }: ObjectLocation): string {
  const { resticRepoPrefix = "", s3Url = "", region = "" } = config;
  if (resticRepoPrefix !== "") return resticRepoPrefix;
  const folder = [prefix, "restic"].filter((part) => part !== "").join("/");
  if (s3Url !== "") return `s3:${s3Url.replace(/\/$/, "")}/${bucket}/${folder}`;
  switch (provider.replace(/^velero\.io\//, "")) {
    case "aws":
      if (region !== "") return `s3:s3-${region}.amazonaws.com/${bucket}/${folder}`;
      throw new UsageError(
        "add --config region=REGION: the address of the restic repository names the bucket's region",
      );
    case "azure":
      return `azure:${bucket}:/${folder}`;
    case "gcp":
      return `gs:${bucket}:/${folder}`;
    default:
      throw new UsageError(
        `where ${provider} keeps restic repositories is not known: give the repository by --volume-config repository=REPOSITORY`,
      );
  }
}
