import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, runProgram, startServer } from "./child.ts";
import type { RunningServer } from "./child.ts";
import { crane, registry } from "./toolchain.ts";

/** Starts a registry on loopback that keeps its images below a folder. */
export async function startRegistry(folder: string): Promise<RegistryClient> {
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = join(folder, "registry.yaml");
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: "warn" },
      storage: { filesystem: { rootdirectory: join(folder, "registry") } },
      http: { addr: address },
    }),
  );
  const server = await startServer({
    name: "registry",
    command: registry.path,
    args: ["serve", configuration],
    env: { OTEL_TRACES_EXPORTER: "none" },
    endpoint: `http://${address}`,
    logFile: join(folder, "registry.log"),
  });
  return new RegistryClient(server, address);
}

/** A standard client of one registry. */
export class RegistryClient implements AsyncDisposable {
  readonly #server: RunningServer;
  readonly #address: string;

  constructor(server: RunningServer, address: string) {
    this.#server = server;
    this.#address = address;
  }

  /** Pushes an image layout with all its platforms and answers the name by digest that it has there. */
  async push(layout: string, name: string): Promise<string> {
    const output = await this.#run("push", layout, `${this.#address}/${name}:latest`);
    return output.trim().split("\n").at(-1) ?? "";
  }

  /** Unpacks what a container of the image would see into a folder. */
  async unpack(reference: string, platform: string, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await this.#run("export", "--platform", platform, reference, `${folder}.tar`);
    const { code, output } = await runProgram("tar", ["-xf", `${folder}.tar`, "-C", folder, "--no-same-owner", "-p"]);
    if (code !== 0) throw new Error(output);
  }

  /** The words with which a container of the image starts. */
  async startOf(reference: string, platform: string): Promise<readonly string[]> {
    const config: unknown = JSON.parse(await this.#run("config", "--platform", platform, reference));
    // What the registry holds was pushed from our layout.
    return (config as { config: { Entrypoint: readonly string[] } }).config.Entrypoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }

  async #run(...words: readonly string[]): Promise<string> {
    const { code, output } = await runProgram(crane.path, words);
    if (code !== 0) throw new Error(`crane ${words.join(" ")}: ${output}`);
    return output;
  }
}
