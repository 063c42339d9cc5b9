import type { ConformanceTest } from "./test.ts";

/** What became of one test on one target. */
export interface TestResult {
  readonly test: ConformanceTest;
  readonly target: string;
  readonly verdict: "passed" | "failed" | "skipped";
  readonly tookMs: number;
  /** Why it failed or was skipped; empty for a test that passed. */
  readonly reason: string;
  /** Whether the rule was broken, or the test met something else that it did not expect. */
  readonly isRuleBroken: boolean;
  /** What was sent and what came back, oldest first; of failures only. */
  readonly evidence: readonly string[];
  /** What could not be removed afterwards. */
  readonly leftovers: readonly string[];
}

/** How many tests ended how. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts results. */
export function countResults(results: readonly TestResult[]): Totals {
  const count = (verdict: TestResult["verdict"]): number =>
    results.filter((result) => result.verdict === verdict).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** The line that ends every run. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
