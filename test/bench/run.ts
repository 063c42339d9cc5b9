import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ownChild } from "../interop/child.ts";
import { pluginEnvironment } from "../interop/environment.ts";
import { cacheDir } from "../interop/paths.ts";
import { stagePlugin } from "../interop/plugin-folders.ts";
import { installAll, officialPlugin, veleroClient, versitygw } from "../interop/toolchain.ts";
import { startVersitygw } from "../interop/versitygw-server.ts";
import { parseBenchArguments, usage, type BenchArguments } from "./arguments.ts";
import { benchCases, type BenchCase } from "./cases.ts";
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
  await installAll([veleroClient, versitygw, ...(options.against === undefined ? [officialPlugin] : [])], note);
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, "bench-"));
  try {
    return await measure(options, cases, dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(options: BenchArguments, cases: readonly BenchCase[], dir: string): Promise<boolean> {
  const subjects: Subjects = { ours: "ours", theirs: options.against === undefined ? "official" : "other" };
  const { server, s3 } = await startVersitygw(dir);
  let samples: Sample[];
  try {
    const spec = {
      subjects: await Promise.all([
        stagePlugin(dir, options.plugin, { name: subjects.ours, knownFaults: false }),
        stagePlugin(dir, options.against ?? officialPlugin.path, { name: subjects.theirs, knownFaults: false }),
      ]),
      endpoint: s3.endpoint,
      region: s3.region,
      keys: s3.keys,
      bucket: "bench",
      cases,
      workDir: dir,
    };
    samples = await runCases(spec, dir);
  } finally {
    await server.stop();
  }
  const lines = report(samples, subjects);
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
