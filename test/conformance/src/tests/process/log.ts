import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, fail } from "../../expect.ts";
import { PluginSession } from "../../plugin/plugin-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { askForAbsent, useEverything } from "./whole-session.ts";

/** What all the processes of a run wrote, and a session of each test's own. These tests run last. */
export const logTests: readonly ConformanceTest[] = [
  {
    id: "process/log/fields-are-strings",
    title: "every field of every log line is a string",
    rule: "log-fields-are-strings",
    runsLast: true,
    run: async (t) => {
      await talk(t);

      judgeViolations(t, "is not a string");
    },
  },
  {
    id: "process/log/levels-are-known",
    title: "the level of every log line is one that the server knows",
    rule: "log-levels-are-known",
    runsLast: true,
    run: async (t) => {
      await talk(t);

      judgeViolations(t, "@level");
    },
  },
  {
    id: "process/log/lines-are-whole",
    title: "no log line is longer than 64 KiB or carries a time that the server cannot read",
    rule: "log-lines-parse",
    runsLast: true,
    run: async (t) => {
      await talk(t);

      judgeViolations(t, "a log line is longer");
      judgeViolations(t, "@timestamp");
    },
  },
  {
    id: "process/log/lines-are-json",
    title: "each line on stderr is one flat JSON object with a level and a message, at debug level too",
    rule: "log-lines-parse",
    run: async (t) => {
      for (const line of await stderrOf(t)) judgeLine(line);
    },
  },
  {
    id: "process/log/stdout-is-silent",
    title: "nothing but the handshake is ever written to stdout",
    rule: "stdout-is-silent",
    runsLast: true,
    run: async (t) => {
      await talk(t);

      judgeViolations(t, "stdout");
    },
  },
  {
    id: "process/log/quiet-session",
    title: "a session in which all goes well writes no line at warn or error",
    rule: "quiet-when-all-is-well",
    run: async (t) => {
      const session = await t.start();
      await useEverything(t, session);
      await session.shutdown();

      judgeLoudness(session.lines, "the session");
    },
  },
  {
    id: "process/log/quiet-run",
    title: "no process of this run wrote at warn or error, except where a test put data at risk",
    rule: "quiet-when-all-is-well",
    runsLast: true,
    run: async (t) => {
      await talk(t);

      for (const { testId, lines, mayWarn } of t.observations.records) if (!mayWarn) judgeLoudness(lines, testId);
    },
  },
];

/** A session of everything, and one call that fails. Its observations join those of the run. */
async function talk(t: TestContext): Promise<void> {
  const session = await t.start();
  await useEverything(t, session);
  await askForAbsent(t, session);
  await session.dispose();
}

/** What a session writes to stderr, byte by byte: the host keeps only what it understood. */
async function stderrOf(t: TestContext): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-stderr-"));
  t.own(async () => await rm(folder, { recursive: true, force: true }));
  const [launcher, log] = [join(folder, "plugin"), join(folder, "stderr")];
  const quoted = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`;
  await writeFile(launcher, `#!/bin/sh\nexec ${quoted(t.command)} "$@" 2>>${quoted(log)}\n`, { mode: 0o755 });
  const session = await PluginSession.start({ ...t.place, env: t.target.env, command: launcher });
  t.own(() => session.dispose());
  await useEverything(t, session);
  await askForAbsent(t, session);
  await session.shutdown();
  return (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
}

function judgeLine(line: string): void {
  const shown = JSON.stringify(line.slice(0, 200));
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    // Reported below.
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) fail(`${shown} is no JSON object`);
  expect("@level" in fields && "@message" in fields, `${shown} lacks @level or @message`);
  const strange = Object.entries(fields).find(([, value]) => typeof value === "object");
  expect(strange === undefined, `${shown} is not flat: ${strange?.[0]}`);
}

function judgeViolations(t: TestContext, words: string): void {
  for (const { testId, violations } of t.observations.records) {
    const found = violations.find((violation) => violation.includes(words));
    if (found !== undefined) fail(`in ${testId}: ${found}`);
  }
}

function judgeLoudness(lines: PluginSession["lines"], where: string): void {
  const loud = lines.find(({ level }) => level === "warn" || level === "error");
  if (loud !== undefined) fail(`in ${where}: a line at ${loud.level}: ${loud.message}`);
}
