import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { Command } from "commander";

import type { CliContext } from "./context.ts";
import { cloudOf, keysOf } from "./plugin-facts/plugin-facts.ts";
import { createProgram } from "./program.ts";
import { checkout, mappingsIn, mentionsIn, pages, readWords, textOf } from "./testing/doc-pages.ts";
import { nounFirst } from "./word-order.ts";

const context: CliContext = {
  env: {},
  workingDirectory: ".",
  printOut: () => {},
  printError: () => {},
  isTerminal: false,
  signal: new AbortController().signal,
  now: () => new Date(0),
};
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
