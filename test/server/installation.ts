import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { rootDir } from "../interop/paths.ts";
import type { Cloud } from "./clouds/cloud.ts";
import type { Cluster } from "./cluster.ts";
import { mustRun, runCommand } from "./command.ts";
import { velero } from "./toolchain.ts";

const registry = "registry.example.com/backup";
const tag = "v1.0.0";

/** The image that an installation of this cloud's plugin names. */
export function imageOf({ provider }: Pick<Cloud, "provider">): string {
  return `${registry}/velero-plugin-for-${provider}:${tag}`;
}

/** How an installation differs from the usual one. */
interface InstallationOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly volumeConfig?: Readonly<Record<string, string>>;
  readonly bucket?: string;
}

/** What `flotilla install` printed. */
export interface PrintedInstallation {
  readonly text: string;
  /** Commands that its notes name for afterwards. */
  readonly afterwards: readonly string[];
}

/** What `flotilla install` prints for a cloud, in one of its forms. */
export async function printInstallation(
  folder: string,
  cloud: Cloud,
  form: "velero" | "manifests",
  options: InstallationOptions = {},
): Promise<PrintedInstallation> {
  const { credentials, caCert } = cloud.keys;
  await mkdir(folder, { recursive: true });
  const credentialsFile = join(folder, "credentials");
  await writeFile(credentialsFile, credentials, { mode: 0o600 });
  const caFile = join(folder, "ca.pem");
  if (caCert !== undefined) await writeFile(caFile, caCert);
  const images = ["--registry", registry, "--tag", tag];
  const words = [
    ...pairs("--config", { ...cloud.keys.config, ...options.config }),
    ...pairs("--volume-config", { ...cloud.keys.volumeConfig, ...options.volumeConfig }),
    ...(caCert === undefined ? [] : ["--ca-cert", caFile]),
    ...images,
  ];
  const command = [join(rootDir, "cli", "src", "main.ts"), "install", "--provider", cloud.provider];
  const target = ["--bucket", options.bucket ?? cloud.bucket, "--credentials-file", credentialsFile, "-o", form];
  const env = { HOME: folder };
  const { code, stdout, stderr } = await runCommand(process.execPath, [...command, ...target, ...words], { env });
  if (code !== 0) throw new Error(`flotilla install: ${stderr}`);
  return { text: stdout, afterwards: [...stderr.matchAll(/^note: afterwards: (.*)$/gm)].map(([, line = ""]) => line) };
}

/** Installs the server by the line for Velero's own command, through a shell, as a user pastes it. */
export async function runVeleroLine(folder: string, cluster: Cluster, printed: PrintedInstallation): Promise<string> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  // The line calls it by its name.
  await symlink(velero.path, join(bin, "velero"));
  const path = `${bin}:${dirname(process.execPath)}:${cluster.env["PATH"] ?? ""}`;
  return await mustRun("sh", ["-ec", [printed.text, ...printed.afterwards].join("\n")], {
    env: { ...cluster.env, PATH: path },
  });
}

/** Applies manifests as their own header says. */
export async function applyManifests(
  cluster: Cluster,
  { text }: PrintedInstallation,
  ...flags: readonly string[]
): Promise<string> {
  return await cluster.kubectl(["apply", "--server-side", "--force-conflicts", ...flags, "-f", "-"], text);
}

function pairs(flag: string, config: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(config).flatMap(([key, value]) => [flag, `${key}=${value}`]);
}
