import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { inImageRoot, makeServerRoot } from "@flotilla/tools/image-root";

import type { Cluster } from "./cluster.ts";
import { mustRun } from "./command.ts";
import { startDaemon } from "./daemon.ts";
import { memoryOf, processesOf } from "./processes.ts";
import type { ProcessFacts } from "./processes.ts";
import { velero } from "./toolchain.ts";
import { until } from "./until.ts";

/** Where the server of a cluster lives. */
export const namespace = "velero";

/** Which executable is behind the image of an init container, in place of a registry. */
type Images = Readonly<Record<string, string>>;

/** The one container of the server's Deployment, run as the kubelet would: its root, user, arguments and environment. */
export interface ServerPod {
  readonly pid: number;
  /** What the server has logged, and its predecessors in this cluster. */
  log(): Promise<string>;
  /** Resident bytes of the server's own process. */
  memory(): number;
  /** The processes of plugins, whether or not the server still knows them. */
  plugins(): readonly ProcessFacts[];
  /** The sockets that plugins have left in its /tmp, or use now. */
  sockets(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** How to start it. */
export interface PodOptions {
  readonly folder: string;
  readonly images: Images;
  /** Beside what the Deployment says, as an operator adds them there. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders and files of this machine, by their paths in its root. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** More files of its root, by their absolute paths. */
  readonly files?: Readonly<Record<string, string>>;
  /** The same for the server's arguments. */
  readonly args?: readonly string[];
}

/** Starts what the Deployment `velero` of the cluster describes. */
export async function startServerPod(cluster: Cluster, options: PodOptions): Promise<ServerPod> {
  await mkdir(options.folder, { recursive: true });
  const deployment = await cluster.read<Deployment>("deployment", "velero", "--namespace", namespace);
  const { initContainers = [], containers, serviceAccountName } = deployment.spec.template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error("the Deployment has no container");
  const root = await mkdtemp(join(options.folder, "pod-"));
  await chmod(root, 0o755);
  makeServerRoot(root, "linux-x64");
  await copyFile(velero.path, join(root, "velero"));
  await chmod(join(root, "plugins"), 0o777);
  for (const { image } of initContainers) await runInitContainer(options.images, image, join(root, "plugins"));
  await mountAll(cluster, root, { serviceAccountName, usesSecret: mounts(container, "/credentials") });
  for (const [path, text] of Object.entries(options.files ?? {})) await writeFile(join(root, path), text);
  const mounted = await bindAll(root, options.mounts ?? {});
  const { command, args } = inImageRoot(root, [...container.command, ...container.args, ...(options.args ?? [])]);
  const logFile = join(options.folder, "velero.log");
  const former = await readFile(logFile, "utf8").catch(() => "");
  const daemon = startDaemon("velero", command, {
    args,
    logFile,
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/",
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(cluster.port),
      ...environmentOf(container),
      ...options.env,
    },
  });
  await until("the server has found its plugins", async () => {
    daemon.mustRun();
    return (await readFile(logFile, "utf8")).slice(former.length).includes("Starting controllers");
  });
  return {
    pid: daemon.pid,
    log: async () => await readFile(logFile, "utf8"),
    memory: () => {
      daemon.mustRun();
      return memoryOf(daemon.pid);
    },
    plugins: () => processesOf("/plugins/"),
    sockets: async () => (await readdir(join(root, "tmp"))).filter((name) => name.startsWith("plugin")),
    stop: async () => {
      await daemon.stop();
      for (const path of mounted) await mustRun("umount", [path], { env: bare });
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The fields of a Deployment that say how its pods are started. */
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly initContainers?: readonly { readonly image: string }[];
        readonly containers: readonly Container[];
      };
    };
  };
}

interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly volumeMounts?: readonly { readonly mountPath: string }[];
}

/** An init container of a plugin copies it into the folder of plugins: ours installs itself, the official one is copied. */
async function runInitContainer(images: Images, image: string, plugins: string): Promise<void> {
  const executable = images[image];
  if (executable === undefined) throw new Error(`nothing stands for the image ${image}`);
  if (basename(executable).startsWith("flotilla-")) {
    await mustRun(executable, ["install", plugins], { env: { HOME: "/" } });
    return;
  }
  const target = join(plugins, basename(executable).replace(/-v[\d.]+$/, ""));
  await copyFile(executable, target);
  await chmod(target, 0o755);
}

/** What the kubelet puts there: the names of hosts, the scratch folder, the service account's token, and the Secret where it is named. */
async function mountAll(
  cluster: Cluster,
  root: string,
  { serviceAccountName, usesSecret }: { readonly serviceAccountName: string; readonly usesSecret: boolean },
): Promise<void> {
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  // As every container runtime makes it.
  await symlink("/proc/self/fd", join(root, "dev/fd"));
  await mkdir(join(root, "scratch"));
  await chmod(join(root, "scratch"), 0o777);
  const account = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
  await mkdir(account, { recursive: true });
  const token = await cluster.kubectl([
    "create",
    "token",
    serviceAccountName,
    "--namespace",
    namespace,
    "--duration=8h",
  ]);
  await writeFile(join(account, "token"), token.trim());
  await writeFile(join(account, "ca.crt"), cluster.caPem);
  await writeFile(join(account, "namespace"), namespace);
  if (!usesSecret) return;
  const { data } = await cluster.read<{ data: Record<string, string> }>(
    "secret",
    "cloud-credentials",
    "--namespace",
    namespace,
  );
  await mkdir(join(root, "credentials"));
  for (const [key, value] of Object.entries(data))
    await writeFile(join(root, "credentials", key), Buffer.from(value, "base64"), { mode: 0o444 });
}

// Of programs of this machine.
const bare = { PATH: process.env["PATH"] ?? "" };

/** Only in the mounts of this run. Answers what is mounted. */
async function bindAll(root: string, mounts: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const targets: string[] = [];
  for (const [path, source] of Object.entries(mounts)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await ((await stat(source)).isDirectory() ? mkdir(target) : writeFile(target, ""));
    await mustRun("mount", ["--bind", source, target], { env: bare });
    targets.push(target);
  }
  return targets;
}

function mounts({ volumeMounts = [] }: Container, path: string): boolean {
  return volumeMounts.some(({ mountPath }) => mountPath === path);
}

function environmentOf({ env = [] }: Container): Readonly<Record<string, string>> {
  // The only value that comes from elsewhere is the pod's own namespace.
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, valueFrom ? namespace : (value ?? "")]));
}
