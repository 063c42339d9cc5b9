import type { BackupFacts } from "./backup-facts.ts";

/**
 * The files that a finished backup must have had and that are not there, by their names. The server asks for no record
 * of volumes that is absent: it restores the resources without them, and says nothing.
 */
export function lostFiles(
  name: string,
  files: readonly string[],
  { phase, formatVersion, snapshotsCompleted }: BackupFacts,
): readonly string[] {
  // One that failed as a whole may have none.
  if (phase === "Failed") return [];
  // Servers write both with every backup, also where they name no volume.
  const hasRecords = formatVersion !== "";
  const needed = [
    `${name}.tar.gz`,
    ...(hasRecords || snapshotsCompleted > 0 ? [`${name}-volumesnapshots.json.gz`] : []),
    ...(hasRecords ? [`${name}-podvolumebackups.json.gz`] : []),
  ];
  return needed.filter((file) => !files.includes(file));
}
