import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Cloud } from "./clouds/cloud.ts";
import { startCluster } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { imageOf } from "./installation.ts";
import { startServerPod } from "./server-pod.ts";
import type { PodOptions, ServerPod } from "./server-pod.ts";

/** A cloud, a cluster, and the server in it; all ended together. */
export interface Stage {
  readonly folder: string;
  readonly cloud: Cloud;
  /** Our plugin. */
  readonly executable: string;
  readonly cluster: Cluster;
  /** The server that runs now. */
  pod(): ServerPod;
  /** Starts the server that the Deployment describes, with our executable behind the image of the plugin. */
  startPod(options?: Partial<PodOptions>): Promise<ServerPod>;
  stopPod(): Promise<void>;
  /** Puts the cluster away and takes an empty one. */
  replaceCluster(): Promise<void>;
  /** The flags of velero's commands that fetch through a signed URL. */
  readonly trust: readonly string[];
  close(failed: boolean): Promise<void>;
}

/** Opens a stage for one cloud. */
export async function openStage<C extends Cloud>(
  executable: string,
  startCloud: (folder: string) => Promise<C>,
): Promise<Stage & { readonly cloud: C }> {
  const folder = await mkdtemp(join(tmpdir(), "flotilla-server-"));
  const cloud = await startCloud(folder);
  const caFile = join(folder, "cloud-ca.pem");
  const { caCert } = cloud.keys;
  if (caCert !== undefined) await writeFile(caFile, caCert);
  let clusters = 1;
  let cluster = await startCluster(join(folder, "cluster-1"));
  let pod: ServerPod | undefined;
  const stopPod = async (): Promise<void> => {
    await pod?.stop();
    pod = undefined;
  };
  return {
    folder,
    cloud,
    executable,
    get cluster() {
      return cluster;
    },
    pod: () => {
      if (pod === undefined) throw new Error("no server runs");
      return pod;
    },
    startPod: async (options = {}) => {
      await stopPod();
      const images = { [imageOf(cloud)]: executable };
      pod = await startServerPod(cluster, {
        folder: join(folder, `server-${clusters}`),
        images,
        mounts: cloud.mounts ?? {},
        ...options,
      });
      return pod;
    },
    stopPod,
    replaceCluster: async () => {
      await stopPod();
      await cluster.stop();
      clusters += 1;
      cluster = await startCluster(join(folder, `cluster-${clusters}`));
    },
    trust: caCert === undefined ? [] : ["--cacert", caFile],
    close: async (failed) => {
      await stopPod();
      await cluster.stop();
      await cloud.close();
      if (failed) process.stderr.write(`what the programs wrote is kept in ${folder}\n`);
      else await rm(folder, { recursive: true, force: true });
    },
  };
}
