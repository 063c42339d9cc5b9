import { rules } from "./rules/index.ts";
import type { ConformanceTest } from "./test.ts";

/** The tests with what they need and the rule behind each. */
export function listTests(tests: readonly ConformanceTest[]): string {
  return tests
    .map(({ id, title, rule, needs = [], isSlow }) => {
      const conditions = [...needs, ...(isSlow === true ? ["slow"] : [])];
      const suffix = conditions.length === 0 ? "" : ` (${conditions.join(", ")})`;
      return `${id}${suffix}\n  ${title}\n  rule ${rule} (${rules[rule].origin})\n`;
    })
    .join("");
}
