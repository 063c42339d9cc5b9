import assert from "node:assert/strict";
import { test } from "node:test";

import { commandPath } from "./command-path.ts";

const script = { isExecutable: false, argv0: "node", execPath: "/usr/bin/node", scriptPath: "/src/main.ts", env: {} };
const executable = { ...script, isExecutable: true, execPath: "/real/plugin", scriptPath: "/real/plugin" };

for (const [title, start, expected] of [
  ["an executable is the path that the host executed", { ...executable, argv0: "/plugins/plugin" }, "/plugins/plugin"],
  ["a relative path stays relative", { ...executable, argv0: "./plugin" }, "./plugin"],
  ["an executable found by its bare name is its real path", { ...executable, argv0: "plugin" }, "/real/plugin"],
  ["an executable ignores the launcher's variable", { ...executable, env: { FLOTILLA_COMMAND: "/x" } }, "/real/plugin"],
  ["a script is its own path, not its interpreter's", script, "/src/main.ts"],
  [
    "a script behind a launcher is the launcher",
    { ...script, env: { FLOTILLA_COMMAND: "/bin/launch" } },
    "/bin/launch",
  ],
] as const) {
  test(`the command of ${title}`, () => {
    assert.equal(commandPath(start), expected);
  });
}
