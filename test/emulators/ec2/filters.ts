import { Ec2Error, invalidCombination, invalidValue } from "./ec2-error.ts";
import type { Params } from "./params.ts";

/** What a resource offers to filters: the values by filter name. */
export type FilterFields = Readonly<Record<string, readonly string[]>>;

const maxPage = 1000;
const minPage = 5;

/** Keeps what all filters of the request match; values may hold `*` and `?`. */
export function applyFilters<T>(
  params: Params,
  all: readonly T[],
  fieldsOf: (one: T) => FilterFields,
  tagsOf: (one: T) => Readonly<Record<string, string>>,
): readonly T[] {
  let left = all;
  for (const filter of params.structures("Filter")) {
    const name = filter.required("Name");
    const patterns = filter.list("Value").map(toPattern);
    const matches = (values: readonly string[]): boolean =>
      values.some((value) => patterns.some((pattern) => pattern.test(value)));
    left = left.filter((one) => matches(valuesOf(name, fieldsOf(one), tagsOf(one))));
  }
  return left;
}

/** Cuts one page out of a list that is always in the same order. */
export function takePage<T>(
  params: Params,
  all: readonly T[],
  idOf: (one: T) => string,
  idsParameter: string,
): { readonly page: readonly T[]; readonly nextToken: string | undefined } {
  const most = params.integer("MaxResults");
  const token = params.text("NextToken");
  if (params.list(idsParameter).length > 0 && most !== undefined) {
    throw invalidCombination(`The parameter ${idsParameter} cannot be used with the parameter maxResults`);
  }
  if (most !== undefined && most < minPage) {
    throw invalidValue(
      `Value ( ${most} ) for parameter maxResults is invalid. Expecting a value greater than ${minPage}.`,
    );
  }
  const start = token === undefined ? 0 : startOf(all, idOf, token);
  const end = start + Math.min(most ?? maxPage, maxPage);
  const next = all[end];
  return {
    page: all.slice(start, end),
    nextToken: next === undefined ? undefined : Buffer.from(`next:${idOf(next)}`).toString("base64"),
  };
}

function startOf<T>(all: readonly T[], idOf: (one: T) => string, token: string): number {
  const id = /^next:(.+)$/.exec(Buffer.from(token, "base64").toString("utf8"))?.[1];
  if (id === undefined) throw new Ec2Error("InvalidNextToken", "The specified nextToken is not valid.");
  const at = all.findIndex((one) => idOf(one) === id);
  // What the page would begin with has been deleted since: there is no place to go on from.
  if (at === -1) throw new Ec2Error("InvalidNextToken", "The token has expired.");
  return at;
}

function valuesOf(name: string, fields: FilterFields, tags: Readonly<Record<string, string>>): readonly string[] {
  if (name === "tag-key") return Object.keys(tags);
  if (name === "tag-value") return Object.values(tags);
  if (name.startsWith("tag:")) {
    const value = tags[name.slice(4)];
    return value === undefined ? [] : [value];
  }
  const values = fields[name];
  if (values === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  return values;
}

function toPattern(value: string): RegExp {
  const escaped = value.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
