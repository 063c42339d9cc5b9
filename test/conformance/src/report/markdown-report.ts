import { rules } from "../rules/index.ts";
import { closingLine, countResults } from "../result.ts";
import type { TestResult } from "../result.ts";

/** All results as Markdown tables, one a target; failures with their reason. */
export function markdownReport(results: readonly TestResult[]): string {
  const targets = [...new Set(results.map((result) => result.target))];
  return targets
    .map((target) => {
      const own = results.filter((result) => result.target === target);
      const rows = own.map(
        ({ test, verdict, reason }) =>
          `| \`${test.id}\` | ${cell(test.title)} | ${rules[test.rule].origin} | ${verdict} | ${cell(reason)} |`,
      );
      const head = "| test | behaviour | rule | verdict | reason |\n| --- | --- | --- | --- | --- |";
      return `## ${target}\n\n${head}\n${rows.join("\n")}\n\n${closingLine(countResults(own))}\n`;
    })
    .join("\n");
}

/** A text inside a table. */
export function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}
