import { spawn } from "node:child_process";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { temporaryFolder } from "./temporary-folder.ts";

/** How a run of the command line ended. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a plugin that keeps everything in it, for the command line to be run against as a user runs it. */
export class Flotilla {
  readonly folder: string;
  readonly plugin: string;

  private constructor(folder: string, plugin: string) {
    this.folder = folder;
    this.plugin = plugin;
  }

  /** Prepares a folder, which is removed when the test process ends. */
  static async prepare(): Promise<Flotilla> {
    const folder = await temporaryFolder();
    const plugin = join(folder, "disk");
    const program = join(import.meta.dirname, "disk-plugin.ts");
    await writeFile(plugin, `#!/bin/sh\nFLOTILLA_COMMAND="$0" exec "${process.execPath}" "${program}" "$@"\n`);
    await chmod(plugin, 0o755);
    return new Flotilla(folder, plugin);
  }

  /** Where the plugin keeps everything. */
  get store(): string {
    return join(this.folder, "store");
  }

  /** The flags of the plugin's location. */
  get location(): readonly string[] {
    return [
      "--plugin",
      this.plugin,
      "--provider",
      "disk",
      "--bucket",
      "b",
      "--prefix",
      "p",
      "--config",
      `folder=${this.store}`,
    ];
  }

  /** The flags of its volume location. */
  get volumes(): readonly string[] {
    return ["--volume-config", `folder=${this.store}`];
  }

  /** Writes files into a folder of its own and answers its path. */
  async write(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const folder = await mkdtemp(join(this.folder, "input-"));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    return folder;
  }

  /** Runs `flotilla` as a process. */
  async run(...words: readonly string[]): Promise<Run> {
    return await this.runIn(this.folder, ...words);
  }

  /** Runs it in another folder, under a shell's prefix where one is given. */
  async runIn(directory: string, ...words: readonly string[]): Promise<Run> {
    const main = join(import.meta.dirname, "..", "main.ts");
    const child = spawn(process.execPath, [main, ...words], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { exitCode, stdout: await stdout, stderr: await stderr };
  }
}

/** A manifest of a ConfigMap. */
export const configMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  greeting: "Grüß Gott"
`;

/** A manifest of a PersistentVolume that the disk plugin knows. */
export const persistentVolume = `apiVersion: v1
kind: PersistentVolume
metadata:
  name: data
spec:
  csi:
    driver: disk
    volumeHandle: vol-1
`;

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
