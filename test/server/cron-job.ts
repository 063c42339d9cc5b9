import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { rootDir } from "../interop/paths.ts";
import type { Cluster } from "./cluster.ts";
import { runCommand } from "./command.ts";
import type { CommandResult } from "./command.ts";
import { namespace } from "./server-pod.ts";

/** Runs the container of a CronJob of ours once, as the kubelet would, with its mounts below a folder. */
export async function runCronJob(
  cluster: Cluster,
  name: string,
  { folder, executable }: JobOptions,
): Promise<CommandResult> {
  const { spec } = await cluster.read<CronJob>("cronjob", name, "--namespace", namespace);
  const { containers, volumes } = spec.jobTemplate.spec.template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error(`the CronJob ${name} has no container`);
  const root = join(folder, `${name}-mounts`);
  for (const { name: mount, mountPath } of container.volumeMounts) {
    const volume = volumes.find((one) => one.name === mount);
    await mkdir(join(root, mountPath), { recursive: true });
    const files = await filesOf(cluster, volume ?? {});
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(root, mountPath, file), bytes);
  }
  // What is an absolute path in the pod is one below the folder here.
  const args = container.args.map((word) => (word.startsWith("/") ? join(root, word) : word));
  const env = Object.fromEntries(container.env.map(({ name: variable, value }) => [variable, value]));
  const main = join(rootDir, "cli", "src", "main.ts");
  return await runCommand(process.execPath, [main, ...args, "--plugin", executable], {
    // Where the plugin looks for programs that its own folder lacks.
    env: { ...env, PATH: process.env["PATH"] ?? "", HOME: root, TMPDIR: join(root, "tmp") },
  });
}

/** Where its mounts are put, and what stands for the image of the plugin. */
interface JobOptions {
  readonly folder: string;
  readonly executable: string;
}

/** The fields of a CronJob that say what its container is. */
interface CronJob {
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly template: {
          readonly spec: { readonly containers: readonly JobContainer[]; readonly volumes: readonly JobVolume[] };
        };
      };
    };
  };
}

interface JobContainer {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface JobVolume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}

async function filesOf(
  cluster: Cluster,
  { configMap, secret }: Partial<JobVolume>,
): Promise<Readonly<Record<string, Buffer>>> {
  const kind = secret === undefined ? "configmap" : "secret";
  const name = secret?.secretName ?? configMap?.name;
  if (name === undefined) return {};
  const { data } = await cluster.read<{ data: Record<string, string> }>(kind, name, "--namespace", namespace);
  const encoding = kind === "secret" ? "base64" : "utf8";
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}
