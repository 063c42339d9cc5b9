import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readManifest, workspaceFolder } from "./workspace.ts";

const page = readFileSync(join(workspaceFolder, "docs", "add-a-plugin.md"), "utf8");

test("what docs/add-a-plugin.md has people type makes a plugin's folder that a build takes", (t) => {
  const scratch = mkdtempSync(join(tmpdir(), "plugin-page-"));
  t.after(() => rmSync(scratch, { recursive: true }));
  for (const folder of ["test/conformance/example", "plugins/aws/turbo.json", "plugins/aws/tsconfig.json"])
    cpSync(join(workspaceFolder, folder), join(scratch, folder), { recursive: true });
  const commands = page.split("\n").filter((line) => /^ {4}(mkdir|cp|tail) /.test(line));
  const [, manifest = ""] = /```json\n(.*?)```/s.exec(page) ?? [];

  execFileSync("bash", ["-ec", commands.join("\n")], { cwd: scratch, stdio: "pipe" });
  const plugin = join(scratch, "plugins", "memory");
  writeFileSync(join(plugin, "package.json"), manifest);

  assert.equal(readManifest(plugin).name, "@flotilla/plugin-memory");
  assert.match(readFileSync(join(plugin, "src", "main.ts"), "utf8"), /^import /);
  for (const file of ["conformance/embedded/target.yaml", "turbo.json", "tsconfig.json"])
    assert.ok(readFileSync(join(plugin, file)).byteLength > 0);
  for (const [, script = ""] of manifest.matchAll(/node \.\.\/\.\.\/([^\s",]+)/g))
    assert.ok(readFileSync(join(workspaceFolder, script)).byteLength > 0);
});
