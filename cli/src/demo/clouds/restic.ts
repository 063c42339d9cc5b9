import { execFile } from "node:child_process";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { ownDomain } from "@flotilla/sdk/plugin";

import { at } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import type { StandInFacts } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

const run = promisify(execFile);

/** A restic repository in a folder of this machine, and folders as volumes. */
export const resticDemoCloud: DemoCloud = {
  provider: "restic",
  implementation: `${ownDomain}/restic`,
  services: "no cloud: restic keeps a repository in a folder",
  printObject: (bucket, key) => `restic:${bucket}/${key}`,
  ownsVariable: (name) => name.startsWith("RESTIC_"),
  volumeOf: (volume) => {
    const [server, path] = [at(volume, "spec", "nfs", "server"), at(volume, "spec", "nfs", "path")];
    if (typeof server !== "string" || typeof path !== "string") return undefined;
    return { id: `${server}:${path}`, args: ["--volume", join(server, path)] };
  },
  standIns: ({ state }) => ({ path: join(standInFolder, "..", "restic", "demo-main.ts"), args: ["--state", state] }),
  printEndpoints: (facts) => requireFact(facts, "repository"),
  locate: (facts) => {
    const keys = {
      repository: requireFact(facts, "repository"),
      passwordFile: requireFact(facts, "passwordFile"),
      resticPath: requireFact(facts, "restic"),
      cacheFolder: requireFact(facts, "cacheFolder"),
    };
    return { credentials: "\n", config: keys, volumeConfig: { ...keys, volumeRoot: requireFact(facts, "volumeRoot") } };
  },
  objectFile: async (_state, bucket, key, facts) => await packOf(facts, bucket, key),
};

/** The file of the repository that holds the bytes of an object, which is small enough to be one blob. */
async function packOf(facts: StandInFacts, bucket: string, key: string): Promise<string> {
  const repository = requireFact(facts, "repository");
  const restic = async (...args: readonly string[]): Promise<string> => {
    const own = ["--repo", repository, "--password-file", requireFact(facts, "passwordFile"), "--no-cache"];
    return (await run(requireFact(facts, "restic"), [...args, ...own])).stdout;
  };
  const tags = `${ownDomain}/bucket=${bucket},${ownDomain}/key=${key}`;
  // restic's own answers, of whose fields these are the documented ones.
  const snapshots = JSON.parse(await restic("snapshots", "--json", "--tag", tags)) as {
    tree: string;
    tags: string[];
  }[];
  const tree = snapshots.find((snapshot) => snapshot.tags.some((tag) => tag.startsWith(`${ownDomain}/data=`)))?.tree;
  const { nodes } = JSON.parse(await restic("cat", "blob", tree ?? "")) as { nodes: { content?: string[] }[] };
  const blob = nodes[0]?.content?.[0] ?? "";
  const pack = /\b([0-9a-f]{64})\b(?!.*\b[0-9a-f]{64}\b)/s.exec(await restic("find", "--blob", blob, "--show-pack-id"));
  const name = pack?.[1];
  if (name === undefined) throw new Error(`restic does not tell in which pack ${key} is`);
  const file = join(repository, "data", name.slice(0, 2), name);
  // restic makes its files read-only.
  await chmod(file, 0o600);
  return file;
}
