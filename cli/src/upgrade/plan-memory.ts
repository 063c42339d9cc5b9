import { mebibytes, serverLimitMi } from "../install/resources.ts";
import { cloudOf } from "../plugin-facts/plugin-facts.ts";
import type { Step } from "./plan.ts";
import type { ClusterDeployment, ClusterLocation } from "./read-resources.ts";

/**
 * What the server's pod lacks in memory: its plugins' processes share its limit, and the one of a usual installation
 * was made without a thought of them.
 */
export function planMemory(
  { name, namespace, memoryLimit }: ClusterDeployment,
  locations: readonly ClusterLocation[],
): readonly Omit<Step, "resource">[] {
  const limitMi = mebibytes(memoryLimit);
  const wanted = locations.flatMap(({ kind, provider, config }) => {
    const cloud = cloudOf(provider);
    return kind === "VolumeSnapshotLocation" || cloud === undefined
      ? []
      : [serverLimitMi(cloud, config["memoryLimit"])];
  });
  const wantedMi = Math.max(0, ...wanted);
  if (limitMi === undefined || limitMi >= wantedMi) return [];
  const command = `kubectl set resources deployment/${name} --namespace ${namespace} --containers velero`;
  const why = `the server and the plugins' processes share it, and may need ${wantedMi}Mi when several work at once`;
  return [
    { action: "advice", what: `memory limit ${memoryLimit}`, why: `${why}: ${command} --limits memory=${wantedMi}Mi` },
  ];
}
