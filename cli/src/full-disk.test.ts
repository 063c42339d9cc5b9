import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { configMap, Flotilla } from "./testing/flotilla.ts";

const run = promisify(execFile);
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

test(
  "a full disk is a clear error, and nothing half-written is left",
  { skip: canMount ? false : "no user namespaces to mount a small disk in" },
  async () => {
    const flotilla = await Flotilla.prepare();
    const noise = Array.from({ length: 40_000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join("");
    const map = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "big" }, data: { noise } });
    const from = await flotilla.write({ "big.json": map });
    await flotilla.run("backup", "create", "one", "--from", from, ...flotilla.location);
    const disk = join(flotilla.folder, "disk-of-64k");
    await mkdir(disk);
    const words = ["backup", "restore", "one", "--to", join(disk, "out"), ...flotilla.location];
    const script = `mount -t tmpfs -o size=64k none "$1" && shift && "$@"; code=$?; ls -A "${disk}"; exit $code`;

    const main = join(import.meta.dirname, "main.ts");
    const failed = run("unshare", ["-rm", "sh", "-c", script, "sh", disk, process.execPath, main, ...words]);

    await assert.rejects(failed, (error: Error & { code?: number; stdout?: string; stderr?: string }) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr ?? "", /the disk is full: free some space and try again; nothing was left behind/);
      assert.equal(error.stdout, "");
      return true;
    });
  },
);

test(
  "a result that cannot be written is an error, and the work that went before it was done",
  { skip: existsSync("/dev/full") ? false : "no device that is always full" },
  async () => {
    const flotilla = await Flotilla.prepare();
    const from = await flotilla.write({ "a.yaml": configMap });
    const main = join(import.meta.dirname, "main.ts");
    const words = ["backup", "create", "one", "--from", from, ...flotilla.location];

    const deaf = spawnSync("sh", ["-c", '"$@" >/dev/full', "sh", process.execPath, main, ...words], {
      encoding: "utf8",
    });
    const mute = spawnSync(
      "sh",
      ["-c", '"$@" 2>/dev/full', "sh", process.execPath, main, "backup", "list", ...flotilla.location],
      {
        encoding: "utf8",
      },
    );

    assert.equal(deaf.status, 1);
    assert.match(deaf.stderr, /error: the result could not be written: ENOSPC/);
    assert.doesNotMatch(deaf.stderr, /at .*main\.ts/);
    assert.equal(mute.status, 0);
    assert.match(mute.stdout, /one +Completed/);
  },
);
