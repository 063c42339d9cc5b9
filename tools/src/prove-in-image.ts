import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createCheckList } from "./check-list.ts";
import type { CheckList } from "./check-list.ts";
import { libraryFolderName, programName } from "./executable-name.ts";
import { checkFiles } from "./image-contract.ts";
import { inImageRoot, makeImageRoot } from "./image-root.ts";
import { isNative, outputFolder, parsePlatform } from "./platform.ts";
import type { Platform } from "./platform.ts";
import { startPlugin } from "./plugin-session.ts";
import type { PluginSession } from "./plugin-session.ts";
import { parseWarmUp, warmUpPlugin } from "./warm-up.ts";
import { readManifest } from "./workspace.ts";

// A program, run in a plugin's folder after build-plugin and package-plugin: starts the executable in a root folder that
// holds what the server's image holds and nothing else. Another platform than this machine's runs under qemu's user
// mode; `--install` lets it be installed, else only that platform's files are looked at.

const emulator = "qemu-aarch64-static";
const { values } = parseArgs({
  options: { platform: { type: "string" }, install: { type: "boolean", default: false } },
});
process.exitCode = await prove(process.cwd(), parsePlatform(values.platform));

async function prove(folder: string, platform: Platform): Promise<number> {
  const name = programName(readManifest(folder));
  const list = createCheckList((line) => process.stdout.write(`${line}\n`));
  const root = mkdtempSync(join(tmpdir(), "image-root-"));
  try {
    makeImageRoot(root, platform, join(outputFolder(folder, platform), name));
    await checkFiles(list, join(root, "plugins"), name);
    const prefix = runner(root, platform);
    if (prefix === undefined) process.stdout.write(`not started: ${emulator} is missing; --install gets it\n`);
    else await checkRuns(list, { folder, platform, root, name, prefix });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return list.close();
}

/** What stands before the executable's path on the command line, or undefined where it cannot be run. */
function runner(root: string, platform: Platform): readonly string[] | undefined {
  if (isNative(platform)) return [];
  if (platform !== "linux-arm64") return undefined;
  if (values.install) execFileSync("apt-get", ["install", "--yes", "--no-install-recommends", "qemu-user-static"]);
  const path = join("/usr/bin", emulator);
  if (!existsSync(path)) return undefined;
  copyFileSync(path, join(root, emulator));
  return [`/${emulator}`];
}

interface Target {
  readonly folder: string;
  readonly platform: Platform;
  readonly root: string;
  readonly name: string;
  readonly prefix: readonly string[];
}

async function checkRuns(list: CheckList, target: Target): Promise<void> {
  const { platform, root, name } = target;
  const command = [...target.prefix, `/plugins/${name}`];
  const libraries = join(root, "plugins", libraryFolderName(name));

  await list.check("started by hand it says what it is and exits with 1", () => {
    const byHand = inImageRoot(root, [...command, "--log-level=debug"]);
    const { status, stdout, stderr } = spawnSync(byHand.command, byHand.args, { env: {}, encoding: "utf8" });
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(name));
    assert.equal(status, 1);
  });

  await list.check("started by hand, --version prints its version", () => {
    const byHand = inImageRoot(root, [...command, "--version"]);
    const { status, stdout, stderr } = spawnSync(byHand.command, byHand.args, { env: {}, encoding: "utf8" });
    assert.match(stdout + stderr, /\d+\.\d+\.\d+/);
    assert.equal(status, 0);
  });

  for (const environment of [{}, { LD_LIBRARY_PATH: "/plugins" }, { NODE_OPTIONS: "--no-such-option" }]) {
    const title = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    await list.check(`handshake, ListPlugins and Shutdown with ${title[0] ?? "no environment"}`, async () => {
      const session = await start(target, environment);
      assert.equal(await served(session, `/plugins/${name}`), 0, session.stderr());
      assert.deepEqual(
        readdirSync(join(root, "tmp")).filter((file) => file.startsWith("plugin")),
        [],
        "the socket was left behind",
      );
    });
  }

  await list.check("no driver is loaded before Init, and all from code caches where some were made", async () => {
    const session = await start(target, { FLOTILLA_TRACE: "chunks" });
    await served(session, `/plugins/${name}`);
    assert.deepEqual(chunkStates(session, /"codeCache":"(\w+)"/g), [isNative(platform) ? "accepted" : "none"]);
    assert.deepEqual(chunkStates(session, /"chunk":"(object-store|volume-snapshotter)/g), []);
  });

  await checkInit(list, target);

  await list.check("without its libraries it does not start, so the image has none of them", async () => {
    renameSync(libraries, `${libraries}.away`);
    try {
      await assert.rejects(start(target, {}), /error while loading shared libraries/);
    } finally {
      renameSync(`${libraries}.away`, libraries);
    }
  });
}

async function checkInit(list: CheckList, target: Target): Promise<void> {
  const { folder, root } = target;
  const warmUpFile = join(folder, "src/warm-up.json");
  if (!existsSync(warmUpFile)) {
    process.stdout.write(
      "not opened: the plugin has no src/warm-up.json, since its Init needs more than the image holds\n",
    );
    return;
  }
  await list.check("Init of an ObjectStore loads its driver alone, which lists and reads", async () => {
    const warmUp = parseWarmUp(readFileSync(warmUpFile, "utf8"));
    // Every container runtime sets HOME, to / for a user that /etc/passwd does not know.
    const environment = { ...warmUp.environment, HOME: "/", FLOTILLA_TRACE: "chunks" };
    const session = await start(target, environment);
    try {
      await warmUpPlugin(warmUp, session, { path: join(root, "tmp"), seenAs: "/tmp" });
    } finally {
      await session.shutdown();
    }
    assert.deepEqual(chunkStates(session, /"chunk":"(object-store|volume-snapshotter)/g), ["object-store"]);
  });
}

/** What the trace of loaded chunks says, each answer once. */
function chunkStates(session: PluginSession, pattern: RegExp): (string | undefined)[] {
  return [...new Set(Array.from(session.stderr().matchAll(pattern), (match) => match[1]))];
}

async function start(target: Target, environment: Readonly<Record<string, string>>): Promise<PluginSession> {
  const command = inImageRoot(target.root, [...target.prefix, `/plugins/${target.name}`, "--log-level=debug"]);
  return await startPlugin({ ...command, environment, root: target.root });
}

/** Asks for the plugins, checks them, and ends the process; how it ended. */
async function served(session: PluginSession, command: string): Promise<number | NodeJS.Signals> {
  try {
    const plugins = await session.listPlugins();
    assert.ok(plugins.length > 0);
    for (const plugin of plugins) assert.equal(plugin.command, command);
    return await session.shutdown();
  } catch (error) {
    session.kill();
    await delay(100);
    throw new Error(`${String(error)}\n${session.stderr()}`, { cause: error });
  }
}
