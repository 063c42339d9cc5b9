import { rules } from "../rules/index.ts";
import type { TestResult } from "../result.ts";

/** One result as lines for a person: a failure says what happened, what the server would do and where the rule is from. */
export function formatResult(result: TestResult): string {
  const { test, verdict, tookMs, reason, evidence, leftovers } = result;
  const head = `${label(verdict)} ${test.id}: ${test.title}`;
  const notes = leftovers.map((leftover) => `        left behind: ${leftover}`);
  if (verdict === "passed") return [`${head} (${Math.round(tookMs)} ms)`, ...notes].join("\n");
  if (verdict === "skipped") return `${head} (${reason})`;
  const rule = rules[test.rule];
  return [
    head,
    `        ${reason}`,
    ...evidence.map((line) => `        | ${line}`),
    `        rule (${rule.origin}): ${rule.text}`,
    `        the server: ${rule.consequence}`,
    `        source: ${rule.source}`,
    ...notes,
  ].join("\n");
}

function label(verdict: TestResult["verdict"]): string {
  return { passed: "ok   ", failed: "FAIL ", skipped: "skip " }[verdict];
}
