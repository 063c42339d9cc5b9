import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";

import { pluginCommand } from "./harness.ts";

const run = promisify(execFile);
const scratch = await mkdtemp(join(tmpdir(), "install-"));
after(() => rm(scratch, { recursive: true }));

const name = basename(pluginCommand);
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
const mounts = { skip: canMount ? false : "no user namespaces to mount a small disk in" };

async function folder(label: string): Promise<string> {
  return await mkdtemp(join(scratch, `${label}-`));
}

/** The executable as an image holds it, with a library beside it. */
async function imageFolder(libraries: Readonly<Record<string, string>>): Promise<string> {
  const image = await folder("image");
  await run("cp", ["--reflink=auto", pluginCommand, image]);
  await mkdir(join(image, `${name}.lib`));
  for (const [file, text] of Object.entries(libraries)) await writeFile(join(image, `${name}.lib`, file), text);
  return join(image, name);
}

/** Every file below a folder with its mode. */
async function modes(target: string): Promise<Record<string, string>> {
  const files = (await readdir(target, { recursive: true })).sort();
  const rows = files.map(async (file) => [file, ((await stat(join(target, file))).mode & 0o777).toString(8)]);
  return Object.fromEntries(await Promise.all(rows));
}

async function failureOf(command: string, ...words: string[]): Promise<string> {
  const failed = await run(command, words).then(
    ({ stdout }) => assert.fail(`it succeeded: ${stdout}`),
    (error: Error & { code?: number; stderr?: string }) => error,
  );
  assert.equal(failed.code, 1);
  return failed.stderr ?? "";
}

describe("an executable that installs itself", { concurrency: true, timeout: 240_000 }, () => {
  test("a target that is missing, or no folder, is refused with what to mount", async () => {
    const file = join(await folder("target"), "file");
    await writeFile(file, "");

    assert.match(await failureOf(pluginCommand, "install", join(scratch, "none")), /does not exist; mount the volume/);
    assert.match(await failureOf(pluginCommand, "install", file), /is not a folder; mount the volume/);
  });

  test("a full volume is refused with its numbers, and what was there stays", mounts, async () => {
    const disk = await folder("disk");
    const script = `mount -t tmpfs -o size=20m none "$1" && echo former > "$1/${name}" && "$2" install "$1"; code=$?; ls -A "$1"; cat "$1/${name}"; exit $code`;

    const failed = run("unshare", ["-rm", "sh", "-c", script, "sh", disk, pluginCommand]);

    await assert.rejects(failed, (error: Error & { stdout?: string; stderr?: string }) => {
      assert.match(error.stderr ?? "", /1\d\d MiB are needed and 20 MiB are free; give the volume `plugins` more room/);
      assert.equal(error.stdout, `${name}\nformer\n`);
      return true;
    });
  });

  test("a read-only volume is refused with the remedy", mounts, async () => {
    const disk = await folder("disk");
    const script = 'mount -t tmpfs -o size=200m,ro none "$1" && "$2" install "$1"';

    assert.match(
      await failureOf("unshare", "-rm", "sh", "-c", script, "sh", disk, pluginCommand),
      /it is mounted read-only: mount the volume `plugins` with readOnly: false/,
    );
  });

  test("a folder where the executable belongs is refused, and nothing half-written is left", async () => {
    const target = await folder("target");
    await mkdir(join(target, name));

    assert.match(await failureOf(pluginCommand, "install", target), /a folder stands where the executable belongs/);
    assert.deepEqual(await readdir(join(target, name)), []);
    assert.ok(!(await readdir(target)).includes(`${name}.partial`));
  });

  test("what stands in the place of its libraries and is no folder is refused, and nobody's files are lost", async () => {
    const [target, other] = [await folder("target"), await folder("other")];
    await writeFile(join(other, "theirs"), "");
    await symlink(other, join(target, `${name}.lib`));

    for (const command of [pluginCommand, await imageFolder({ "libown.so.1": "own" })]) {
      assert.match(await failureOf(command, "install", target), /no folder; take it away/);
      assert.deepEqual(await readdir(other), ["theirs"]);
    }
  });

  test("killed at any moment it leaves nothing that the server would start but a whole executable", async () => {
    const target = await folder("target");
    for (const delayMs of [0, 60, 90, 120, 150, 200, 300]) {
      const child = spawn(pluginCommand, ["install", target], { stdio: "ignore" });
      const timer = setTimeout(() => child.kill("SIGKILL"), delayMs);
      await once(child, "close");
      clearTimeout(timer);
      const started = Object.entries(await modes(target)).filter(
        ([file, mode]) => file !== `${name}.lib` && mode === "755",
      );
      for (const [file] of started) {
        assert.equal(file, name);
        assert.equal((await stat(join(target, file))).size, (await stat(pluginCommand)).size);
      }
    }

    await run(pluginCommand, ["install", target]);

    assert.deepEqual(await readFile(join(target, name)), await readFile(pluginCommand));
    assert.ok(!(await readdir(target)).some((file) => file.endsWith(".partial")));
  });

  test("it replaces a former version, even one in use, with its libraries, and touches nothing else", async () => {
    const target = await folder("target");
    const former = await imageFolder({ "libold.so.1": "old", "libboth.so.1": "old" });
    await run(former, ["install", target]);
    await writeFile(join(target, "velero-plugin-for-example"), "theirs", { mode: 0o755 });
    const inUse = spawn(join(target, name), ["--log-level=info"], {
      env: { VELERO_PLUGIN: "hello" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(inUse.stdout, "data");
    try {
      const next = await imageFolder({ "libboth.so.1": "new" });

      const { stdout } = await run(next, ["install", target]);

      assert.match(stdout, /^flotilla-plugin-aws \d+\.\d+\.\d+ is installed in /);
      assert.deepEqual(await modes(target), {
        [name]: "755",
        [`${name}.lib`]: "755",
        [`${name}.lib/libboth.so.1`]: "644",
        "velero-plugin-for-example": "755",
      });
      assert.equal(await readFile(join(target, `${name}.lib`, "libboth.so.1"), "utf8"), "new");
    } finally {
      inUse.kill("SIGKILL");
    }
  });

  test("a former executable that could not be replaced keeps the libraries that it needs", async () => {
    const target = await folder("target");
    const former = await imageFolder({ "libold.so.1": "old" });
    await run(former, ["install", target]);
    // As a volume that breaks after the libraries were written.
    await mkdir(join(target, `${name}.partial`));
    const next = await imageFolder({ "libnew.so.1": "new" });

    await failureOf(next, "install", target);

    assert.equal((await modes(target))[name], "755");
    assert.deepEqual((await readdir(join(target, `${name}.lib`))).sort(), ["libnew.so.1", "libold.so.1"]);
  });

  test("the modes are what the server needs under any umask, and for a run by another user", async () => {
    const target = await folder("target");
    await chmod(target, 0o777);

    await run("sh", ["-c", 'umask 077 && exec "$0" install "$1"', pluginCommand, target]);

    assert.equal((await modes(target))[name], "755");
    assert.equal((await run(join(target, name), ["--version"])).stderr, "");
  });

  test("a library that is a link is not taken along, since a link always has an execute bit", async () => {
    const image = await imageFolder({ "libone.so.1": "one" });
    await symlink("libone.so.1", join(`${image}.lib`, "libone.so"));
    const target = await folder("target");

    await run(image, ["install", target]);

    assert.deepEqual(await readdir(join(target, `${name}.lib`)), ["libone.so.1"]);
  });

  test("started by a host, the word install on the command line means nothing", async () => {
    const target = await folder("target");
    const child = spawn(pluginCommand, ["install", target], {
      env: { VELERO_PLUGIN: "hello" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGKILL");

    assert.match(line.toString(), /^1\|2\|unix\|/);
    assert.deepEqual(await readdir(target), []);
  });
});
