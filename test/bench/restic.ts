import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

import { Manager, Registry } from "@flotilla/host";
import type { ObjectStoreClient } from "@flotilla/host";

import { builtResticPlugin } from "../interop/paths.ts";
import { findRestic, noRestic } from "../restic/find-restic.ts";
import { seedObjects } from "./restic-seed.ts";
import type { MasterKey, SnapshotDocument } from "./restic-seed.ts";

// A program: times listings, puts and gets of the restic plugin beside the same work of restic alone, in a repository
// of so many objects. `node test/bench/restic.ts --objects 1,100,10000 --reps 5`

const { values } = parseArgs({
  options: { objects: { type: "string", default: "1,100" }, reps: { type: "string", default: "5" } },
});
const run = promisify(execFile);
const repetitions = Number(values.reps);
const body = Buffer.alloc(10_000, "what a small object of a backup holds. ");
const found = findRestic();
if (found === undefined) throw new Error(noRestic);
const restic = found;

print(["objects", "operation", "plugin ms", "restic alone ms", "ratio"]);
for (const count of values.objects.split(",").map(Number)) for (const line of await measure(count)) print(line);

function print(line: readonly string[]): void {
  process.stdout.write(`${line.map((text) => text.padEnd(18)).join("")}\n`);
}

async function measure(count: number): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), "restic-bench-"));
  const repository = join(folder, "repository");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, "password\n");
  await mkdir(join(folder, "cache"));
  const own = ["--repo", repository, "--password-file", passwordFile, "--cache-dir", join(folder, "by-hand")];
  const alone = async (...args: readonly string[]): Promise<string> =>
    (await run(restic, [...args, ...own], { maxBuffer: 1024 ** 3 })).stdout;
  const config = { bucket: "bench", prefix: "", repository, passwordFile, resticPath: restic };
  const settings = { ...config, cacheFolder: join(folder, "cache") };
  try {
    await alone("init");
    await withPlugin(async (open) => {
      await (await open(settings)).putObject({ bucket: "bench", key: "backups/0/object" }, bytesOnce());
    });
    await seed(repository, alone, count);
    return await withPlugin(async (open) => {
      const [id = ""] = await idsOf(alone);
      const store = await open(settings);
      const at = (index: number): { bucket: string; key: string } => ({ bucket: "bench", key: `new/${index}/object` });
      const list = async (): Promise<number> =>
        (await store.listObjects({ bucket: "bench", prefix: "backups/" })).length;
      const [firstList, listed] = await timed(list);
      if (listed !== count) throw new Error(`${listed} of ${count} objects are listed`);
      const listAlone = await median(async () => await alone("snapshots", "--json", "--no-lock"));
      return [
        row(count, "first list", firstList, listAlone),
        row(count, "list again", await median(list), listAlone),
        row(
          count,
          "put 10 kB",
          await median(async (index) => await store.putObject(at(index), bytesOnce())),
          await median(async () => await backUpAlone(own)),
        ),
        row(
          count,
          "get 10 kB",
          await median(async (index) => {
            for await (const _ of store.getObject(at(index))) continue;
          }),
          await median(async () => await alone("dump", id, "/object", "--no-lock")),
        ),
      ];
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Open = (config: Readonly<Record<string, string>>) => Promise<ObjectStoreClient>;

async function withPlugin<T>(work: (open: Open) => Promise<T>): Promise<T> {
  const registry = new Registry();
  const name = "flotilla.io/restic";
  registry.register({ command: builtResticPlugin, kind: "ObjectStore", name });
  const manager = new Manager(registry, { env: process.env });
  try {
    return await work(async (config) => {
      const store = manager.getObjectStore(name);
      await store.init(config);
      return store;
    });
  } finally {
    await manager.close();
  }
}

async function seed(
  repository: string,
  alone: (...args: readonly string[]) => Promise<string>,
  count: number,
): Promise<void> {
  const [id = ""] = await idsOf(alone);
  // restic's own answers.
  const masterKey = JSON.parse(await alone("cat", "masterkey")) as MasterKey;
  const original = JSON.parse(await alone("cat", "snapshot", id)) as SnapshotDocument;
  const keys = Array.from({ length: count - 1 }, (_, index) => `backups/${index + 1}/object`);
  await seedObjects(repository, masterKey, original, keys);
}

async function idsOf(alone: (...args: readonly string[]) => Promise<string>): Promise<readonly string[]> {
  const snapshots = JSON.parse(await alone("snapshots", "--json")) as readonly { readonly id: string }[];
  return snapshots.map(({ id }) => id);
}

async function backUpAlone(own: readonly string[]): Promise<void> {
  const child = spawn(restic, ["backup", "--stdin", "--quiet", ...own], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(body);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`restic backup ended with ${String(code)}`);
}

async function* bytesOnce(): AsyncGenerator<Uint8Array> {
  yield body;
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  const started = performance.now();
  const value = await work();
  return [performance.now() - started, value];
}

async function median(work: (index: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < repetitions; index += 1) times.push((await timed(async () => await work(index)))[0]);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

function row(count: number, operation: string, plugin: number, alone: number): string[] {
  const round = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);
  return [String(count), operation, round(plugin), round(alone), (plugin / alone).toFixed(2)];
}
