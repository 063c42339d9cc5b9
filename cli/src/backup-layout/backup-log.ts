import type { PluginLogLine } from "@flotilla/host";

import { formatTime } from "../output/units.ts";
import type { BackupSummary } from "./backup-object.ts";
import type { TakenSnapshot } from "./side-objects.ts";

/** The log that is stored with a backup, a line an event, in the server's `key=value` form. */
export function backupLog(
  backup: BackupSummary,
  volumes: { readonly taken: readonly TakenSnapshot[]; readonly passedOver: readonly string[] },
  pluginLines: readonly PluginLogLine[],
): string {
  const steps = [
    line(backup, "info", "Backing up", { resources: String(backup.itemCount) }),
    ...volumes.taken.map(({ record }) =>
      line(backup, "info", "Snapshotted volume", {
        persistentVolume: record.persistentVolumeName,
        volumeID: record.volumeId,
        snapshotID: record.snapshotId,
      }),
    ),
    ...volumes.passedOver.map((name) =>
      line(backup, "info", "Volume is not known to the snapshotter", { persistentVolume: name }),
    ),
    ...pluginLines.map(({ level, message, fields }) => line(backup, level, message, fields)),
    line(backup, "info", "Backed up", { resources: String(backup.itemCount) }),
  ];
  return steps.join("");
}

function line(backup: BackupSummary, level: string, message: string, fields: Readonly<Record<string, string>>): string {
  const all = { time: formatTime(backup.completedAt), level, msg: message, backup: `velero/${backup.name}`, ...fields };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(" ")}\n`;
}
