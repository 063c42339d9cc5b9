import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ownChild } from "../interop/child.ts";
import { pluginEnvironment } from "../interop/environment.ts";
import { cacheDir } from "../interop/paths.ts";
import { stagePlugin } from "../interop/plugin-folders.ts";
import { installAll, officialGcpPlugin, officialPlugin, veleroClient } from "../interop/toolchain.ts";
import type { PluginFolder } from "../interop/spec.ts";
import { parseBenchArguments, usage, type BenchArguments } from "./arguments.ts";
import { benchCases, type BenchCase } from "./cases.ts";
import { benchStores } from "./stores.ts";
import { formatTable, report, type Subjects } from "./report.ts";
import { parseSample, type Sample } from "./samples.ts";

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<boolean> {
  const options = parseBenchArguments(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(`${usage}\n`);
    return true;
  }
  const cases = benchCases(options).filter(({ name }) => options.only?.test(name) ?? true);
  if (cases.length === 0) {
    throw new Error(
      `no case matches; known are ${benchCases(options)
        .map(({ name }) => name)
        .join(", ")}`,
    );
  }
  const official = options.against === undefined ? officialPlugins[options.provider] : undefined;
  const store = benchStores[options.provider];
  await installAll([veleroClient, store.needs, ...(official === undefined ? [] : [official])], note);
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, "bench-"));
  try {
    return await measure(options, cases, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The official plugins that a registry serves. */
const officialPlugins = { aws: officialPlugin, azure: undefined, gcp: officialGcpPlugin };

/** Azure's SDK alone, which runs where it is. */
const azureSdk: PluginFolder = {
  name: "sdk",
  dir: join(import.meta.dirname, "azure-sdk"),
  executable: "plugin.ts",
  knownFaults: false,
};

async function theirs({ provider, against }: BenchArguments, dir: string): Promise<PluginFolder> {
  if (against !== undefined) return await stagePlugin(dir, against, { name: "other", knownFaults: false });
  const official = officialPlugins[provider];
  if (official === undefined) return azureSdk;
  return await stagePlugin(dir, official.path, { name: "official", knownFaults: false });
}

async function measure(options: BenchArguments, cases: readonly BenchCase[], dir: string): Promise<boolean> {
  const folders = [
    await stagePlugin(dir, options.plugin, { name: "ours", knownFaults: false }),
    await theirs(options, dir),
  ] as const;
  const subjects: Subjects = { ours: folders[0].name, theirs: folders[1].name };
  const { server, ...store } = await benchStores[options.provider].start(dir);
  let samples: Sample[];
  try {
    const spec = { provider: `velero.io/${options.provider}`, subjects: folders, ...store, cases, workDir: dir };
    samples = await runCases(spec, dir);
  } finally {
    await server.stop();
  }
  const lines = report(samples, subjects, options.provider);
  process.stdout.write(
    options.json ? `${JSON.stringify({ lines, samples }, undefined, 2)}\n` : `${formatTable(lines, subjects)}\n`,
  );
  const missed = lines.filter(({ verdict }) => verdict === "missed");
  note(
    `${lines.filter(({ goal }) => goal !== undefined).length - missed.length} goals reached, ${missed.length} missed`,
  );
  return missed.length === 0;
}

/** Runs the Go side and shows each sample as it comes. */
async function runCases(spec: unknown, dir: string): Promise<Sample[]> {
  const file = join(dir, "bench.json");
  await writeFile(file, JSON.stringify(spec), { mode: 0o600 });
  const child = ownChild(
    spawn(veleroClient.path, ["bench", file], {
      env: { ...process.env, ...(await pluginEnvironment(dir)) },
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const ended = once(child, "close");
  const samples: Sample[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const sample = parseSample(line);
    samples.push(sample);
    const speed = sample.bytes > 0 ? `, ${(sample.bytes / 2 ** 20 / sample.seconds).toFixed(1)} MiB/s` : "";
    note(
      `${sample.case} ${sample.subject}: ${sample.seconds.toFixed(3)} s${speed}, CPU ${sample.cpuSeconds.toFixed(2)} s`,
    );
  }
  const [code] = await ended;
  if (code !== 0) {
    throw new Error(`the measurement ended with ${String(code)}`);
  }
  return samples;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
