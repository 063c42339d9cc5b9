import { invalidHeader } from "./blob-error.ts";

const comparison = /^\s*"([^"]+)"\s*(=|<>|>=|<=|>|<)\s*'([^']*)'\s*/;

/** Evaluates an expression of x-ms-if-tags: comparisons of tags with values, joined by AND and OR. */
export function matchesTags(expression: string, tags: Readonly<Record<string, string>>): boolean {
  // AND binds tighter than OR: a list of alternatives, each a list of comparisons.
  let result = false;
  let alternative = true;
  let rest = expression;
  for (;;) {
    const match = comparison.exec(rest);
    if (match === null) throw invalidHeader("x-ms-if-tags", expression);
    const [whole, key = "", operator = "", value = ""] = match;
    alternative = alternative && compare(tags[key], operator, value);
    rest = rest.slice(whole.length);
    if (rest === "") return result || alternative;
    const joint = /^(AND|OR)\b/i.exec(rest);
    if (joint === null) throw invalidHeader("x-ms-if-tags", expression);
    if (joint[0].toUpperCase() === "OR") {
      result ||= alternative;
      alternative = true;
    }
    rest = rest.slice(joint[0].length);
  }
}

function compare(actual: string | undefined, operator: string, wanted: string): boolean {
  if (operator === "<>") return actual !== wanted;
  if (actual === undefined) return false;
  if (operator === "=") return actual === wanted;
  if (operator.startsWith(">")) return actual > wanted || (operator === ">=" && actual === wanted);
  return actual < wanted || (operator === "<=" && actual === wanted);
}
