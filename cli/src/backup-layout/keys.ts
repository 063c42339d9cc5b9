import { UsageError } from "../cli-error.ts";

/** The keys of one backup's objects, as the server names them. */
export interface BackupKeys {
  /** With a slash at its end. */
  readonly folder: string;
  readonly metadata: string;
  readonly contents: string;
  readonly log: string;
  readonly volumeSnapshots: string;
  readonly podVolumeBackups: string;
  readonly resourceList: string;
  readonly itemOperations: string;
  readonly results: string;
  readonly volumeInfo: string;
  readonly csiVolumeSnapshots: string;
  readonly csiVolumeSnapshotContents: string;
  readonly csiVolumeSnapshotClasses: string;
}

const maxNameLength = 253;
const backupName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** The folder below which all backups of a location are. */
export function backupsFolder(prefix: string): string {
  return prefix === "" ? "backups/" : `${prefix}/backups/`;
}

/** The keys of a backup's objects. The name must be one that Kubernetes would accept. */
export function backupKeys(prefix: string, name: string): BackupKeys {
  if (!backupName.test(name) || name.length > maxNameLength) {
    throw new UsageError(
      `the backup name ${JSON.stringify(name)} is invalid: use lower-case letters, digits, dashes and dots`,
    );
  }
  const folder = `${backupsFolder(prefix)}${name}/`;
  const key = (suffix: string) => `${folder}${name}${suffix}`;
  return {
    folder,
    metadata: `${folder}velero-backup.json`,
    contents: key(".tar.gz"),
    log: key("-logs.gz"),
    volumeSnapshots: key("-volumesnapshots.json.gz"),
    podVolumeBackups: key("-podvolumebackups.json.gz"),
    resourceList: key("-resource-list.json.gz"),
    itemOperations: key("-itemoperations.json.gz"),
    results: key("-results.gz"),
    volumeInfo: key("-volumeinfo.json.gz"),
    csiVolumeSnapshots: key("-csi-volumesnapshots.json.gz"),
    csiVolumeSnapshotContents: key("-csi-volumesnapshotcontents.json.gz"),
    csiVolumeSnapshotClasses: key("-csi-volumesnapshotclasses.json.gz"),
  };
}
