import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseInteropArguments, usage, type InteropArguments, type TargetName } from "./arguments.ts";
import { runProgram } from "./child.ts";
import { pluginEnvironment } from "./environment.ts";
import { cacheDir, goModuleDir } from "./paths.ts";
import { stagePlugin } from "./plugin-folders.ts";
import { runProbes } from "./probes.ts";
import type { ProbedCloud } from "./probes.ts";
import { startServers, type Servers } from "./servers.ts";
import { addTallies, readTally, type Tally } from "./tally.ts";
import { resticTargets, runResticTests } from "./restic-targets.ts";
import {
  azurite,
  fakeGcsServer,
  formerVeleroClient,
  installAll,
  officialGcpPlugin,
  officialPlugin,
  pythonServers,
  restic,
  veleroClient,
  versitygw,
  type Installation,
} from "./toolchain.ts";
import type { CheckSpec } from "./spec.ts";

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<boolean> {
  const options = parseInteropArguments(process.argv.slice(2));
  if (options === undefined) {
    print(usage);
    return true;
  }
  await install(options);
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, "run-"));
  let tally: Tally;
  {
    await using servers = await startServers(options.targets, dir);
    tally = addTallies([await testTheTools(), ...(await runChecks(options, servers, dir))]);
  }
  if (tally.failed === 0) {
    // What a check left running may still write there.
    await rm(dir, { recursive: true, force: true, maxRetries: 10 });
  } else {
    print(`what the servers wrote is kept in ${dir}`);
  }
  print(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0;
}

const ofAws: readonly TargetName[] = ["versitygw", "ministack", "moto", "stand-ins"];
const ofGcp: readonly TargetName[] = ["fake-gcs", "gcp-stand-ins"];

function clientOf({ velero }: InteropArguments): Installation & { readonly path: string } {
  return velero === undefined ? veleroClient : formerVeleroClient(velero);
}

async function install(options: InteropArguments): Promise<void> {
  const { targets, interchange } = options;
  const needs = (some: readonly TargetName[], installation: Installation): readonly Installation[] =>
    targets.some((target) => some.includes(target)) ? [installation] : [];
  const servers = [
    ...needs(["versitygw"], versitygw),
    ...needs(["moto", "ministack"], pythonServers),
    ...needs(["azurite"], azurite),
    ...needs(["fake-gcs"], fakeGcsServer),
    ...needs(["restic"], restic),
  ];
  const others = interchange ? [...needs(ofAws, officialPlugin), ...needs(ofGcp, officialGcpPlugin)] : [];
  await installAll([clientOf(options), ...servers, ...others], print);
}

/** The bodies and proxies on which the checks rely have tests of their own. */
async function testTheTools(): Promise<Tally> {
  const { code, output } = await runProgram("go", ["test", "./..."], { cwd: goModuleDir, env: { CGO_ENABLED: "0" } });
  print(code === 0 ? "ok    the tools of the checks pass their own tests" : `FAIL  go test ./...\n${output}`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/**
 * Two pieces of work beside each other: much of a check is waiting, for servers that are slow or silent on purpose. What
 * is checked and probed on the same servers is one piece: a check may take a region away from its stand-in.
 */
async function runChecks(options: InteropArguments, servers: Servers, dir: string): Promise<Tally[]> {
  const probes = async (cloud: ProbedCloud): Promise<Tally[]> =>
    options.probes ? await runProbes(cloud, servers) : [];
  const pieces = [
    async () => [...(await checkAws(options, servers, dir)), ...(await probes("aws"))],
    async () => [...(await checkAzure(options, servers, dir)), ...(await probes("azure"))],
    async () => [...(await checkGcp(options, servers, dir)), ...(await probes("gcp"))],
    async () => await checkRestic(options, servers, dir),
  ].values();
  const tallies: Tally[] = [];
  const work = async (): Promise<void> => {
    for (const piece of pieces) tallies.push(...(await piece()));
  };
  await Promise.all([work(), work()]);
  return tallies;
}

async function checkAws(options: InteropArguments, { s3, ec2 }: Servers, dir: string): Promise<Tally[]> {
  if (s3.length + ec2.length === 0) return [];
  const other = options.interchange ? officialPlugin.path : undefined;
  const { plugin, expectOfficial: isOfficial } = options;
  const spec = await specOf(options, dir, { cloud: "aws", plugin, other, isOfficial });
  return [await check(clientOf(options).path, { ...spec, s3, ec2 }, dir)];
}

async function checkAzure(options: InteropArguments, { blob, arm }: Servers, dir: string): Promise<Tally[]> {
  if (blob.length + arm.length === 0 || options.expectOfficial) return [];
  const { azurePlugin: plugin, azureOther: other } = options;
  const spec = await specOf(options, dir, { cloud: "azure", plugin, other, isOfficial: false });
  return [await check(clientOf(options).path, { ...spec, blob, arm }, dir)];
}

async function checkGcp(options: InteropArguments, { gcs, gce }: Servers, dir: string): Promise<Tally[]> {
  if (gcs.length + gce.length === 0) return [];
  const other = options.interchange ? officialGcpPlugin.path : undefined;
  const { gcpPlugin: plugin, expectOfficial: isOfficial } = options;
  const spec = await specOf(options, dir, { cloud: "gcp", plugin, other, isOfficial });
  return [await check(clientOf(options).path, { ...spec, gcs, gce }, dir)];
}

async function checkRestic(options: InteropArguments, servers: Servers, dir: string): Promise<Tally[]> {
  if (!options.targets.includes("restic") || options.expectOfficial) return [];
  const plugin = options.resticPlugin;
  const spec = await specOf(options, dir, { cloud: "restic", plugin, other: undefined, isOfficial: false });
  // The stand-ins are S3 for the AWS plugin; restic is checked on servers that others wrote.
  const s3 = servers.s3.filter(({ name }) => name === "versitygw");
  const tally = await check(clientOf(options).path, { ...spec, restic: await resticTargets(dir, s3) }, dir);
  return [tally, await runResticTests()];
}

interface Checked {
  readonly cloud: "aws" | "azure" | "gcp" | "restic";
  readonly plugin: string;
  /** What its objects and snapshots are exchanged with. */
  readonly other: string | undefined;
  readonly isOfficial: boolean;
}

async function specOf(options: InteropArguments, dir: string, checked: Checked): Promise<CheckSpec> {
  const { cloud, plugin, other, isOfficial } = checked;
  return {
    provider: cloud === "restic" ? "flotilla.io/restic" : `velero.io/${cloud}`,
    plugin: await stagePlugin(dir, plugin, { name: `${cloud}-checked`, knownFaults: isOfficial }),
    ...(other === undefined
      ? {}
      : { other: await stagePlugin(dir, other, { name: `${cloud}-official`, knownFaults: true }) }),
    s3: [],
    ec2: [],
    blob: [],
    arm: [],
    gcs: [],
    gce: [],
    restic: [],
    workDir: join(dir, `checks-${cloud}`),
    filter: options.filter,
  };
}

async function check(client: string, spec: CheckSpec, dir: string): Promise<Tally> {
  const file = join(dir, `${spec.plugin.name}.json`);
  await writeFile(file, JSON.stringify(spec, undefined, 2), { mode: 0o600 });
  const { code, output } = await runProgram(client, ["check", file], {
    echo: true,
    env: await pluginEnvironment(dir),
  });
  return readTally(output, code);
}

/** An error and what caused it, without stacks: what is wrong is outside this program. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
