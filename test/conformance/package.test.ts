import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

// A foreign project: it has the packed package and nothing of this workspace.
const folder = mkdtempSync(join(tmpdir(), "conformance-package-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("the package installs by itself and judges a plugin", () => {
  const example = join(import.meta.dirname, "example");
  run(process.execPath, join(import.meta.dirname, "package.ts"), "--to", join(folder, "made"));
  const [{ filename }] = JSON.parse(run("npm", "pack", "--json", join(folder, "made"))) as [{ filename: string }];
  writeFileSync(join(folder, "package.json"), "{}");
  run("npm", "install", "--offline", "--no-audit", "--no-fund", join(folder, filename));

  const command = join(folder, "node_modules/.bin/plugin-conformance");
  const output = run(
    command,
    "--plugin",
    join(example, "plugin.ts"),
    "--config",
    join(example, "target.yaml"),
    "--only",
    "^lister/",
  );

  assert.match(output, /^\d+ passed, 0 failed, 0 skipped$/m);
});

test("the package is a library too", () => {
  const program =
    'import { suite, rules } from "@flotilla/conformance"; console.log(suite.length > 50 && "handshake-line" in rules);';

  assert.equal(run(process.execPath, "--input-type=module", "-e", program), "true\n");
});
