import { randomUUID } from "node:crypto";

import { BrokenRule } from "./expect.ts";
import { Journal } from "./plugin/journal.ts";
import { Observations } from "./plugin/observations.ts";
import { WireError } from "./plugin/wire-error.ts";
import type { TestResult } from "./result.ts";
import type { ConformanceTest } from "./test.ts";
import type { Target } from "./target/target.ts";
import { TestContext } from "./test-context.ts";

/** What is run against a target. */
export interface SuiteOptions {
  /** The executable. */
  readonly command: string;
  readonly target: Target;
  readonly tests: readonly ConformanceTest[];
  /** Whether slow tests run too. Default: false. */
  readonly withSlow?: boolean;
  /** How long the soak lasts. Default: a minute. */
  readonly soakMs?: number;
  /** How many workers the soak has. Default: 8. */
  readonly soakWorkers?: number;
  /** What the soak's work is made from; printed, so that a run can be repeated. Default: a new one. */
  readonly seed?: string;
  /** How many tests run at once, each with processes of its own. Default: 3, since most of their time is waiting. */
  readonly jobs?: number;
  /** Hears of each result as it comes. */
  readonly onResult?: (result: TestResult) => void;
}

const defaultJobs = 3;
const defaultTimeoutMs = 60_000;
const closeTimeoutMs = 30_000;
const evidenceLines = 12;

/** Runs tests against a started target; the results are in the order of the tests. */
export async function runSuite(options: SuiteOptions): Promise<readonly TestResult[]> {
  const observations = new Observations();
  const run = `${Date.now().toString(36)}-${randomUUID().slice(0, 8)}`;
  const objects = `${locationPrefix(options.target)}backups/conformance/${run}/`;
  const tests = options.tests.filter((test) => concerns(test, options.target));
  const results = new Map<ConformanceTest, TestResult>();
  const runOne = async (test: ConformanceTest): Promise<void> => {
    const reason = skipReason(test, options);
    const result =
      reason === undefined
        ? await runTest(test, options, observations, `${objects}${tests.indexOf(test)}/`)
        : ended(test, options, { verdict: "skipped", reason });
    results.set(test, result);
    options.onResult?.(result);
  };
  const jobs = options.jobs ?? defaultJobs;
  // What judges all that the plugin said has to see all of it; a soak measures memory and is a load of its own.
  const phaseOf = (test: ConformanceTest): number => (test.runsLast === true ? 2 : test.id.startsWith("soak/") ? 1 : 0);
  await runAtOnce(
    tests.filter((test) => phaseOf(test) === 0),
    jobs,
    runOne,
  );
  await runAtOnce(
    tests.filter((test) => phaseOf(test) === 1),
    1,
    runOne,
  );
  await runAtOnce(
    tests.filter((test) => phaseOf(test) === 2),
    1,
    runOne,
  );
  await removeObjects(options, objects);
  return tests.flatMap((test) => results.get(test) ?? []);
}

async function runAtOnce(
  tests: readonly ConformanceTest[],
  jobs: number,
  runOne: (test: ConformanceTest) => Promise<void>,
): Promise<void> {
  const queue = tests.values();
  const work = async (): Promise<void> => {
    for (const test of queue) await runOne(test);
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

function concerns({ kind }: ConformanceTest, target: Target): boolean {
  if (kind === "ObjectStore") return target.objectStore !== undefined;
  return kind === undefined || target.volumeSnapshotter !== undefined;
}

function skipReason(test: ConformanceTest, { target, withSlow }: SuiteOptions): string | undefined {
  if (test.isSlow === true && withSlow !== true) return "slow";
  const cannot = target.cannot[test.id];
  if (cannot !== undefined) return cannot;
  const missing = (test.needs ?? []).filter((capability) => !target.capabilities.has(capability));
  return missing.length === 0 ? undefined : `the target does not claim ${missing.join(", ")}`;
}

async function runTest(
  test: ConformanceTest,
  options: SuiteOptions,
  observations: Observations,
  prefix: string,
): Promise<TestResult> {
  const started = performance.now();
  const journal = new Journal();
  const timeout = new AbortController();
  const context = new TestContext({
    command: options.command,
    target: options.target,
    testId: test.id,
    prefix,
    journal,
    observations,
    signal: timeout.signal,
    soak: {
      durationMs: options.soakMs ?? defaultTimeoutMs,
      workers: options.soakWorkers ?? 8,
      seed: options.seed ?? prefix,
    },
  });
  const factor = options.target.timeLimitFactor ?? 1;
  const usualMs = (test.timeoutMs ?? defaultTimeoutMs) * factor;
  const limitMs = usualMs + (test.id.startsWith("soak/") ? (options.soakMs ?? 0) : 0);
  const thrown = await within(limitMs, test.run(context)).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  timeout.abort();
  const evidence = thrown === undefined ? [] : journal.last(evidenceLines);
  const leftovers = await within(closeTimeoutMs * factor, context.close()).catch((error: unknown) => [String(error)]);
  const tookMs = performance.now() - started;
  if (thrown === undefined) return ended(test, options, { verdict: "passed", tookMs, leftovers });
  return ended(test, options, {
    verdict: "failed",
    tookMs,
    reason: describe(thrown.error),
    isRuleBroken: thrown.error instanceof BrokenRule || thrown.error instanceof WireError,
    evidence,
    leftovers,
  });
}

function ended(test: ConformanceTest, { target }: SuiteOptions, facts: Partial<TestResult>): TestResult {
  const empty = { verdict: "passed", tookMs: 0, reason: "", isRuleBroken: false, evidence: [], leftovers: [] } as const;
  return { ...empty, ...facts, test, target: target.name };
}

// What the server sends has the location's prefix in every key.
function locationPrefix(target: Target): string {
  const prefix = target.objectStore?.config["prefix"] ?? "";
  return prefix === "" ? "" : `${prefix.replace(/\/$/, "")}/`;
}

/** What the tests stored. A plugin that cannot even be asked to remove it has failed tests enough. */
async function removeObjects({ command, target }: SuiteOptions, prefix: string): Promise<void> {
  const store = target.objectStore;
  if (store === undefined) return;
  const limitMs = closeTimeoutMs * (target.timeLimitFactor ?? 1);
  const context = new TestContext({ ...bystander, command, target, prefix, signal: AbortSignal.timeout(limitMs) });
  const remove = async (): Promise<void> => {
    const session = await context.start();
    for (const config of [{}, ...(store.second === undefined ? [] : [store.second])]) {
      const location = await context.openObjectStore({ session, config });
      for (const key of await location.listObjects(prefix)) await location.delete(key);
    }
  };
  await within(limitMs, remove()).catch(() => undefined);
  await context.close();
}

const bystander = {
  testId: "clean-up",
  journal: new Journal(),
  observations: new Observations(),
  soak: { durationMs: 0, workers: 0, seed: "" },
};

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new BrokenRule(`no end within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error instanceof WireError ? `a call failed: ${error.message}` : error.message;
  return error.cause === undefined ? text : `${text}: ${describe(error.cause)}`;
}
