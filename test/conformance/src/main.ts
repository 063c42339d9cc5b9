#!/usr/bin/env node
import { parseArguments, usage, UsageError } from "./arguments.ts";
import { listTests } from "./list-tests.ts";
import { rulesPage } from "./report/rules-page.ts";
import { runConformance, selectTests } from "./run-conformance.ts";

// The command. A report is larger than a pipe takes at once: the stream sees to the rest.
function print(text: string): void {
  process.stdout.write(text);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

try {
  const options = parseArguments(process.argv.slice(2));
  if (options === undefined) print(`${usage}\n`);
  else if (options.rules) print(rulesPage());
  else if (options.list) print(listTests(selectTests(options)));
  else process.exitCode = (await runConformance(options, print)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${describe(error)}\n${error instanceof UsageError ? `\n${usage}\n` : ""}`);
  process.exitCode = 2;
}
