import assert from "node:assert/strict";
import { test } from "node:test";
import { executableName, programName } from "./executable-name.ts";

test("a name that could leave the folder is refused", () => {
  for (const name of ["@flotilla/..", "@flotilla/a/b", "", "@flotilla/"]) {
    assert.throws(() => executableName(name), /not a package name/);
  }
});

test("an executable is named after its package, under a prefix of our own", () => {
  assert.equal(executableName("@flotilla/plugin-aws"), "flotilla-plugin-aws");
  assert.equal(executableName("velero-plugin"), "flotilla-velero-plugin");
});

test("a package that carries the prefix already keeps its name", () => {
  assert.equal(executableName("@other/flotilla-plugin-x"), "flotilla-plugin-x");
});

test("a package with a command is named by it", () => {
  const manifest = { name: "@flotilla/cli", version: "1.0.0", description: "" };

  assert.equal(programName({ ...manifest, command: "flotilla" }), "flotilla");
  assert.equal(programName(manifest), "flotilla-cli");
});
