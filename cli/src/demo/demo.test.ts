import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { Flotilla } from "../testing/flotilla.ts";
import type { Run } from "../testing/flotilla.ts";
import { demoClouds } from "./clouds/index.ts";

const checkout = join(import.meta.dirname, "..", "..", "..");
const main = join(checkout, "cli", "src", "main.ts");
const executable = join(checkout, "plugins", "aws", "dist", "flotilla-plugin-aws");
// The executable is built before the tests run; alone, this file cannot build it.
const skip = existsSync(executable) ? false : "plugins/aws is not built: npm run build";

interface DemoDocument {
  readonly ok: boolean;
  readonly steps: readonly { readonly what: string; readonly result: string; readonly detail: string }[];
}

test("a state folder with files of others is refused, and left alone", async () => {
  const flotilla = await Flotilla.prepare();
  await mkdir(join(flotilla.folder, "mine"));
  await writeFile(join(flotilla.folder, "mine", "letter"), "dear");

  const { exitCode, stderr } = await flotilla.run("demo", "--state", "mine");

  assert.equal(exitCode, 2);
  assert.match(stderr, /holds files that no demo made/);
  assert.equal(await readFile(join(flotilla.folder, "mine", "letter"), "utf8"), "dear");
});

test("input that cannot be read fails the demo with a document that says so", async () => {
  const flotilla = await Flotilla.prepare();

  const { exitCode, stdout } = await flotilla.run("demo", "--from", "nowhere", "--state", "state", "-o", "json");

  const document = JSON.parse(stdout) as DemoDocument;
  assert.equal(exitCode, 1);
  assert.equal(document.ok, false);
  assert.match(document.steps[0]?.detail ?? "", /nowhere cannot be read/);
});

test("an interrupted demo ends what it started and removes its files", { skip }, async () => {
  const flotilla = await Flotilla.prepare();
  const child = spawn(process.execPath, [main, "demo", "--state", "state", "--log-level", "info"], {
    cwd: flotilla.folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const wasUnderWay = await isUnderWay(child.stderr);

  child.kill("SIGINT");
  const exitCode = await new Promise((resolve) => child.once("exit", resolve));

  assert.ok(wasUnderWay);
  assert.equal(exitCode, 130);
  assert.equal(existsSync(join(flotilla.folder, "state")), false);
  assert.deepEqual(await processesIn(flotilla.folder), []);
});

interface KeptDemo extends Run {
  readonly folder: string;
}

const keptDemos = new Map<string, Promise<KeptDemo>>();

/** The demo on a cloud, whose state was kept; run once for all tests that look at it. */
async function keptDemo(provider: string): Promise<KeptDemo> {
  const known = keptDemos.get(provider);
  if (known !== undefined) return await known;
  const demo = (async () => {
    const flotilla = await Flotilla.prepare();
    const args = ["--provider", provider, "--state", "state", "--keep", "-o", "json"];
    return { ...(await flotilla.run("demo", ...args)), folder: flotilla.folder };
  })();
  keptDemos.set(provider, demo);
  return await demo;
}

/** A restic repository needs restic, which is no part of this project. */
function lacksRestic(provider: string): string | false {
  if (provider !== "restic") return false;
  const program = join(checkout, "test", "restic", "demo-main.ts");
  const { status } = spawnSync(process.execPath, [program, "--can-run"]);
  return status === 0 ? false : "SKIPPED: this machine has no restic, so the demo on it was not tested";
}

for (const { provider, regions } of demoClouds) {
  const built = existsSync(join(checkout, "plugins", provider, "dist", `flotilla-plugin-${provider}`));
  const skip = !built ? `plugins/${provider} is not built: npm run build` : lacksRestic(provider);
  test(
    `the demo on ${provider} backs up, catches the corruption and restores, with the built executable`,
    { skip },
    async () => {
      const { folder, exitCode, stdout, stderr } = await keptDemo(provider);

      const document = JSON.parse(stdout) as DemoDocument;
      assert.equal(exitCode, 0, stderr);
      assert.equal(document.ok, true);
      const caught = document.steps.find(({ what }) => what === "verify names the damaged object");
      assert.match(caught?.detail ?? "", /demo-damaged\.tar\.gz/);
      const ending = document.steps.at(-1);
      if (regions === undefined) assert.match(ending?.what ?? "", /restore the volumes/);
      else {
        assert.equal(ending?.what, `restore in ${regions.other} and compare byte by byte`);
        // Both volumes of the examples: each a new one of its former type, in the other region.
        assert.equal(ending.detail.match(/ as before; .*spec\./g)?.length, 2);
        assert.match(ending.detail, new RegExp(`"${regions.lost}\\S*" is "${regions.other}`));
      }
      assert.deepEqual(await processesIn(folder), []);
    },
  );
}

test("a Velero tarball is input as well", { skip }, async () => {
  const flotilla = await Flotilla.prepare();
  const { folder } = await keptDemo("aws");
  const tarball = join(folder, "state", "downloaded", "demo-good.tar.gz");

  const { exitCode, stdout, stderr } = await flotilla.run("demo", "--from", tarball, "--state", "second");

  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /restore it and compare byte by byte +done/);
  assert.equal(existsSync(join(flotilla.folder, "second")), false);
});

/** Waits until the demo is in the middle of its work. */
async function isUnderWay(stderr: AsyncIterable<Buffer>): Promise<boolean> {
  for await (const chunk of stderr) if (chunk.toString().includes("back up once more")) return true;
  return false;
}

/** The processes that run in a folder, as all that the demo starts do. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
  return pids.filter((_pid, index) => folders[index] === folder);
}
