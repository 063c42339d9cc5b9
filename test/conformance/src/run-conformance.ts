import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";

import type { Arguments } from "./arguments.ts";
import { jsonReport } from "./report/json-report.ts";
import { junitReport } from "./report/junit-report.ts";
import { markdownReport } from "./report/markdown-report.ts";
import { formatResult } from "./report/text-report.ts";
import { closingLine, countResults } from "./result.ts";
import type { TestResult } from "./result.ts";
import { runSuite } from "./run-suite.ts";
import { suite } from "./suite.ts";
import { readTargetFile } from "./target/target-file.ts";
import type { TargetFile } from "./target/target-file.ts";
import { startTarget } from "./target/start-target.ts";
import type { ConformanceTest } from "./test.ts";

type Print = (text: string) => void;

/** Judges an executable on every target that was named; answers whether nothing failed. */
export async function runConformance(options: Arguments, print: Print): Promise<boolean> {
  const command = resolve(options.plugin);
  await access(command, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${command} cannot be executed`, { cause });
  });
  const tests = selectTests(options);
  const files = (await Promise.all(options.configs.map(readTargetFile))).map((file) =>
    narrowTarget(file, options.kind),
  );
  // A single target was meant; of several, those that need what may not be there wait for --all.
  const chosen = files.length === 1 || options.all ? files : files.filter((file) => file.isRequired === true);
  const results: TestResult[] = [];
  for (const file of chosen) results.push(...(await judge(file, { ...options, command, tests }, print)));
  printReport(options.output, results, print);
  return results.some((result) => result.verdict === "passed") && countResults(results).failed === 0;
}

/** The tests that the arguments leave. */
export function selectTests({ only, kind }: Pick<Arguments, "only" | "kind">): readonly ConformanceTest[] {
  return suite.filter(
    (test) =>
      (only === undefined || only.test(test.id) || only.test(test.title)) &&
      (kind === undefined || test.kind === undefined || test.kind === kind),
  );
}

/** Leaves out the location of the other kind: tests of the process open every one that the target has. */
function narrowTarget(file: TargetFile, kind: string | undefined): TargetFile {
  const { objectStore, volumeSnapshotter, ...rest } = file;
  return {
    ...rest,
    ...(kind === "VolumeSnapshotter" || objectStore === undefined ? {} : { objectStore }),
    ...(kind === "ObjectStore" || volumeSnapshotter === undefined ? {} : { volumeSnapshotter }),
  };
}

interface Judgement extends Arguments {
  readonly command: string;
  readonly tests: readonly ConformanceTest[];
}

async function judge(file: TargetFile, options: Judgement, print: Print): Promise<readonly TestResult[]> {
  await using started = await startTarget(file, { provider: options.provider });
  const isText = options.output === "text";
  if (isText) print(`${started.target.provider} on ${file.name}${file.about === undefined ? "" : `: ${file.about}`}\n`);
  const { command, tests, withSlow, soakMs, soakWorkers, seed, jobs } = options;
  return await runSuite({
    command,
    tests,
    withSlow,
    target: started.target,
    ...(soakMs === undefined ? {} : { soakMs }),
    ...(soakWorkers === undefined ? {} : { soakWorkers }),
    ...(seed === undefined ? {} : { seed }),
    ...(jobs === undefined ? {} : { jobs }),
    onResult: (result) => {
      if (isText) print(`${formatResult(result)}\n`);
    },
  });
}

function printReport(output: Arguments["output"], results: readonly TestResult[], print: Print): void {
  switch (output) {
    case "json":
      return print(jsonReport(results));
    case "junit":
      return print(junitReport(results));
    case "markdown":
      return print(markdownReport(results));
    case "text":
      return print(`${closingLine(countResults(results))}\n`);
    default:
      return output satisfies never;
  }
}
