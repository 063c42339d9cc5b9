import { GceError } from "./gce-error.ts";

type Json = Readonly<Record<string, unknown>>;
type Test = (resource: Json) => boolean;

const comparison = /^\s*([\w.-]+)\s*(!=|=|:|\beq\b|\bne\b)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\([^()]*\)|[^\s()]+)/;

/** Reads the expression of a list's `filter`: comparisons joined by AND and OR, or one after the other, in parentheses where wanted. */
export function readFilter(expression: string | undefined): Test {
  if (expression === undefined || expression.trim() === "") return () => true;
  const parser = new Parser(expression);
  return parser.whole();
}

class Parser {
  #rest: string;

  constructor(expression: string) {
    this.#rest = expression;
  }

  whole(): Test {
    const test = this.#any();
    if (this.#rest.trim() !== "") throw invalid();
    return test;
  }

  #any(): Test {
    const tests = [this.#all()];
    while (this.#take(/^\s*OR\b/)) tests.push(this.#all());
    return (resource) => tests.some((test) => test(resource));
  }

  #all(): Test {
    const tests = [this.#one()];
    // Two comparisons without a word between are joined by AND.
    while (this.#take(/^\s*AND\b/) || /^\s*(?!OR\b)[\w(]/.test(this.#rest)) tests.push(this.#one());
    return (resource) => tests.every((test) => test(resource));
  }

  #one(): Test {
    if (this.#take(/^\s*\(/)) {
      const inner = this.#any();
      if (!this.#take(/^\s*\)/)) throw invalid();
      return inner;
    }
    const match = comparison.exec(this.#rest);
    if (match === null) throw invalid();
    const [whole, field = "", operator = "", value = ""] = match;
    this.#rest = this.#rest.slice(whole.length);
    return compare(field, operator, value.replaceAll(/^["']|["']$/g, ""));
  }

  #take(pattern: RegExp): boolean {
    const match = pattern.exec(this.#rest);
    if (match === null) return false;
    this.#rest = this.#rest.slice(match[0].length);
    return true;
  }
}

function compare(field: string, operator: string, value: string): Test {
  const isRegex = operator === "eq" || operator === "ne";
  const pattern = isRegex ? new RegExp(`^(?:${value})$`) : undefined;
  const isNot = operator === "!=" || operator === "ne";
  return (resource) => {
    const actual = lookUp(resource, field);
    if (operator === ":") return actual !== undefined && (value === "*" || contains(actual, value));
    const isSame = actual !== undefined && (pattern === undefined ? actual === value : pattern.test(actual));
    return isSame !== isNot;
  };
}

function contains(actual: string, value: string): boolean {
  return value.endsWith("*") ? actual.startsWith(value.slice(0, -1)) : actual.includes(value);
}

function lookUp(resource: Json, field: string): string | undefined {
  const [first = "", ...rest] = field.split(".");
  const value = resource[first];
  if (rest.length > 0) {
    return typeof value === "object" && value !== null ? lookUp({ ...value }, rest.join(".")) : undefined;
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function invalid(): GceError {
  return new GceError(400, "invalid", "Invalid value for field 'filter': Invalid list filter expression.");
}
