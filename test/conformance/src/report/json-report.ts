import { rules } from "../rules/index.ts";
import { countResults } from "../result.ts";
import type { TestResult } from "../result.ts";

/** All results as one JSON document. */
export function jsonReport(results: readonly TestResult[]): string {
  const tests = results.map(({ test, ...rest }) => ({
    id: test.id,
    title: test.title,
    ...rest,
    tookMs: Math.round(rest.tookMs),
    rule: { id: test.rule, ...rules[test.rule] },
  }));
  return `${JSON.stringify({ ...countResults(results), tests }, undefined, 2)}\n`;
}
