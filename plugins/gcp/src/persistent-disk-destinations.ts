import { PluginError } from "@flotilla/sdk/plugin";
import type { VolumeSnapshotterConfig } from "./config.ts";
import type { CopyDestination } from "./persistent-disk-copier.ts";

/** The targets of `copyToRegions`; refuses one that is the location's own, with which the copy would be lost. */
export function copyDestinations(
  { copyToRegions, snapshotLocation }: VolumeSnapshotterConfig,
  snapshotProject: string,
): readonly CopyDestination[] {
  return copyToRegions.map(({ region, options: { project = snapshotProject, kmsKeyName, zone } }) => {
    if (project === snapshotProject && region === snapshotLocation)
      throw new PluginError(
        `invalid configuration: copyToRegions: ${region} is the location's own snapshotLocation; name another one, or another project`,
        { kind: "invalid-config" },
      );
    return { region, project, kmsKeyName, zone };
  });
}
