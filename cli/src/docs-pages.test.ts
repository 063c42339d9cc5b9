import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { Command } from "commander";

import type { CliContext } from "./context.ts";
import { cloudOf, factsOf, keysOf } from "./plugin-facts/plugin-facts.ts";
import { createProgram } from "./program.ts";
import { checkout, mappingsIn, mentionsIn, pages, readWords, textOf } from "./testing/doc-pages.ts";
import { nounFirst } from "./word-order.ts";

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
const cliPage = "docs/cli.md";
const program = createProgram(context, { exitCode: 0 });
const { scripts } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { scripts: object };

test("scripts that the pages name are there", () => {
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)(?![\w:-]| -w)/g)].map(([, name = ""]) => name),
  );
  const known = new Set(Object.keys(scripts));

  assert.deepEqual(
    [...new Set(named)].filter((name) => !known.has(name)),
    [],
  );
});

test("pages link to files that are there, and to headings in them", () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([, path = "", anchor]) => {
      const file = path === "" ? page : join(page, "..", path);
      const isThere = existsSync(join(checkout, file)) && (anchor === undefined || headingsOf(file).has(anchor));
      return isThere ? [] : [`${page}: ${path}${anchor === undefined ? "" : `#${anchor}`}`];
    }),
  );

  assert.deepEqual(broken, []);
});

test("commands within sentences are commands of this program, with flags that they know", () => {
  const mentions = pages.flatMap((page) => mentionsIn(page).map((line) => ({ page, line })));
  const wrong = mentions.filter(({ line }) => !isKnown(nounFirst(readWords(line))));

  assert.ok(mentions.length > 50, `${mentions.length} were found`);
  assert.deepEqual(wrong, []);
});

test("the arguments of containers that run this program are those of a command", async () => {
  const containers = pages.flatMap((page) =>
    mappingsIn(page).flatMap(({ image, args }) =>
      Array.isArray(args) && /flotilla(:|$)/i.test(String(image)) ? [{ page, args: args.map(String) }] : [],
    ),
  );

  assert.ok(containers.length > 1, `${containers.length} were found`);
  for (const { page, args } of containers) {
    const parsed = createProgram(context, { exitCode: 0 });
    forgetActions(parsed);
    await assert.doesNotReject(async () => await parsed.parseAsync(args, { from: "user" }), page);
  }
});

test("locations in the pages have keys that their plugin knows", () => {
  const configs = pages.flatMap((page) => mappingsIn(page).flatMap((mapping) => locationOf(page, mapping)));
  const unknown = configs.flatMap(({ page, known, config }) =>
    Object.keys(config).flatMap((key) => (known[key] === undefined ? [`${page}: ${key}`] : [])),
  );

  assert.ok(configs.length > 15, `${configs.length} were found`);
  assert.deepEqual(unknown, []);
});

test("permissions that the pages name are some that a plugin's requests need", () => {
  const known = new Set(
    (["aws", "azure", "gcp"] as const).flatMap((cloud) => factsOf(cloud).permissions).map(({ name }) => name),
  );
  // Of restic and of IAM itself, and what a bucket of restic's is asked for.
  for (const name of ["s3:GetBucketLocation", "sts:AssumeRoleWithWebIdentity"]) known.add(name);
  const form =
    /["`]((?:s3|ec2|kms|sts):\w+\*?|(?:compute|storage|iam)(?:\.[a-zA-Z]+){2}|Microsoft(?:\.\w+)(?:\/\w+)+)["`]/g;
  const named = pages.flatMap((page) => [...textOf(page).matchAll(form)].map(([, name = ""]) => ({ page, name })));

  assert.ok(named.length > 80, `${named.length} were found`);
  assert.deepEqual(
    named.filter(({ name }) => !known.has(name) && !name.endsWith(".googleapis.com")),
    [],
  );
});

test("what troubleshooting quotes is what the programs say", () => {
  const cells = [...textOf("docs/guides/troubleshooting.md").matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = ""]) => cell);
  const quotes = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, quote = ""]) => quote));
  const sources = globSync(["plugins/*/src/**/*.ts", "shared/*/src/**/*.ts", "cli/src/**/*.ts"], { cwd: checkout });
  const said = sources
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(checkout, file), "utf8"))
    .join("\n");
  const missing = quotes.flatMap((quote) =>
    quote
      // A code of the cloud follows the words in parentheses; an ellipsis stands for what differs.
      .split(/…|\(|\[|\]/)
      .map((words) => words.trim().replace(/[:,]$/, ""))
      .filter((words) => words.length > 3 && !said.includes(words) && !wordsOfOthers.has(words)),
  );

  assert.ok(quotes.length > 60, `${quotes.length} were found`);
  assert.deepEqual(missing, []);
});

/** What the server, Kubernetes, the loader and the clouds say themselves. */
const wordsOfOthers: ReadonlySet<string> = new Set([
  "another plugin is already registered for this kind and name",
  "Backup store contains invalid top-level directories",
  "Error listing backups in backup store",
  "unable to locate ObjectStore plugin named velero.io/aws",
  "error while loading shared libraries: libstdc++.so.6",
  "libatomic.so.1",
  "exec format error",
  "plugin exited before we could connect",
  "Init:CrashLoopBackOff",
  "OOMKilled",
  "AccessDenied",
  "rpc error: code = Unavailable desc = error reading from server: EOF",
  "rpc error: code = Unknown desc = EOF",
  "plugin process exited",
  "signal: killed",
  "unexpected EOF",
  'VolumeSnapshotLocation.velero.io "',
  '" not found',
  "velero backup logs",
  // The name of a key and the words that follow any such name.
  "region is missing",
]);

const commands = leaves(program);

test("docs/cli.md has a row for each command, and none for another", () => {
  const documented = [...textOf(cliPage).matchAll(/^\| `(flotilla [a-z ]+)` \|/gm)].map(([, name]) => name);

  assert.deepEqual(documented.toSorted(byText), [...commands.keys()].toSorted(byText));
});

test("docs/cli.md names no flag that no command has", () => {
  const known = new Set([...commands.values()].flatMap(({ options }) => options.map(({ long }) => long)));
  // What stands in the columns of other programs is theirs.
  const ours = textOf(cliPage).replaceAll(/`(check|repository|backup-location) [^`]*`/g, "");

  const unknown = [...ours.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag).filter((flag) => !known.has(flag));

  assert.deepEqual(
    unknown.filter((flag) => flag !== "--help" && flag !== "--version"),
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

function headingsOf(page: string): ReadonlySet<string> {
  const titles = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  return new Set(
    titles.map((title) =>
      title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function isKnown([first = "", second = "", ...rest]: readonly string[]): boolean {
  const noun = program.commands.find((command) => command.name() === first);
  const verb = noun?.commands.find((command) => command.name() === second);
  const command = verb ?? (noun?.commands.length === 0 ? noun : undefined);
  const flags = [second, ...rest].filter((word) => /^--?[a-z]/.test(word));
  const names = command?.options.flatMap(({ long, short }) => [long, short]) ?? [];
  return command !== undefined && flags.every((flag) => names.includes(flag));
}

function locationOf(
  page: string,
  { provider, config, objectStorage }: Readonly<Record<string, unknown>>,
): { page: string; known: ReturnType<typeof keysOf>; config: object }[] {
  const cloud = cloudOf(String(provider));
  if (cloud === undefined || typeof config !== "object" || config === null) return [];
  return [{ page, config, known: keysOf(cloud, objectStorage === undefined ? "VolumeSnapshotter" : "ObjectStore") }];
}

function forgetActions(command: Command): void {
  for (const child of command.commands) forgetActions(child);
  if (command.commands.length === 0) command.action(() => {});
}
