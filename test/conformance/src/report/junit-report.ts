import { countResults } from "../result.ts";
import type { TestResult } from "../result.ts";
import { formatResult } from "./text-report.ts";

/** All results as JUnit XML, one suite a target. */
export function junitReport(results: readonly TestResult[]): string {
  const targets = [...new Set(results.map((result) => result.target))];
  const suites = targets.map((target) =>
    suite(
      target,
      results.filter((result) => result.target === target),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("")}</testsuites>\n`;
}

function suite(target: string, results: readonly TestResult[]): string {
  const { failed, skipped } = countResults(results);
  const head = `<testsuite name="${escape(target)}" tests="${results.length}" failures="${failed}" skipped="${skipped}">`;
  return `${head}\n${results.map(testCase).join("")}</testsuite>\n`;
}

function testCase(result: TestResult): string {
  const { test, verdict, tookMs, reason } = result;
  const [, subject = "", name = test.id] = /^(.*)\/([^/]+)$/.exec(test.id) ?? [];
  const head = `<testcase classname="${escape(subject)}" name="${escape(name)}" time="${(tookMs / 1000).toFixed(3)}">`;
  if (verdict === "passed") return `${head}</testcase>\n`;
  if (verdict === "skipped") return `${head}<skipped message="${escape(reason)}"/></testcase>\n`;
  return `${head}<failure message="${escape(reason)}">${escape(formatResult(result))}</failure></testcase>\n`;
}

function escape(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // oxlint-disable-next-line no-control-regex -- XML 1.0 has no way to write them
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, "\u{FFFD}")
  );
}
