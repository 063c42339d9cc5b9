import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import type { Command } from "commander";

import type { CliContext } from "./context.ts";
import { createProgram } from "./program.ts";

const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "cli.md"), "utf8");

let printed = "";
const context: CliContext = {
  env: {},
  workingDirectory: ".",
  printOut: (text) => void (printed += text),
  printError: () => {},
  isTerminal: false,
  signal: new AbortController().signal,
  now: () => new Date(0),
};
const commands = leaves(createProgram(context, { exitCode: 0 }));

test("docs/cli.md has a row for each command, and none for another", () => {
  const documented = [...page.matchAll(/^\| `(flotilla [a-z ]+)` \|/gm)].map(([, name]) => name);

  assert.deepEqual(documented.toSorted(byText), [...commands.keys()].toSorted(byText));
});

test("docs/cli.md names no flag that no command has", () => {
  const known = new Set([...commands.values()].flatMap(({ options }) => options.map(({ long }) => long)));
  // What stands in the columns of other programs is theirs.
  const ours = page.replaceAll(/`(check|repository|backup-location) [^`]*`/g, "");

  const unknown = [...ours.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag).filter((flag) => !known.has(flag));

  assert.deepEqual(
    unknown.filter((flag) => flag !== "--help"),
    [],
  );
});

for (const [name, command] of commands) {
  test(`${name} --help has an example that begins with the program's name, and flags that it knows`, () => {
    printed = "";

    command.outputHelp();

    const [, examples = ""] = printed.split(/\nExamples?:\n/);
    const lines = examples.split("\n").filter((line) => line.startsWith("  flotilla "));
    const known = new Set(command.options.flatMap(({ long, short }) => [long, short]));
    const flags = lines.flatMap((line) => [...line.matchAll(/ (--?[a-z][a-z-]*)/g)].map(([, flag]) => flag));
    assert.ok(lines.length > 0, `no example in the help of ${name}`);
    assert.deepEqual(
      flags.filter((flag) => !known.has(flag)),
      [],
    );
  });
}

/** The commands that do something, by their whole names. */
function leaves(command: Command, names: readonly string[] = []): ReadonlyMap<string, Command> {
  const path = [...names, command.name()];
  if (command.commands.length === 0) return new Map([[path.join(" "), command]]);
  return new Map(command.commands.flatMap((child) => [...leaves(child, path)]));
}

function byText(a: string | undefined, b: string | undefined): number {
  return (a ?? "") < (b ?? "") ? -1 : 1;
}
