import { GcsError } from "./gcs-error.ts";

type Tree = Map<string, Tree>;

/** Leaves of a resource only what the parameter `fields` asks for: `items(name,size),nextPageToken,owner/entity`. */
export function selectFields(
  resource: Readonly<Record<string, unknown>>,
  fields: string | undefined,
): Readonly<Record<string, unknown>> {
  if (fields === undefined || fields === "" || fields === "*") return resource;
  const { tree, rest } = parse(fields);
  if (rest !== "") throw invalidFields(fields);
  // A selection of an object is an object.
  return select(resource, tree) as Readonly<Record<string, unknown>>;
}

function parse(text: string): { readonly tree: Tree; readonly rest: string } {
  const tree: Tree = new Map();
  let rest = text;
  for (;;) {
    const match = /^[\w*/-]+/.exec(rest);
    if (match === null) throw invalidFields(text);
    rest = rest.slice(match[0].length);
    let at = tree;
    for (const name of match[0].split("/")) {
      const next: Tree = at.get(name) ?? new Map();
      at.set(name, next);
      at = next;
    }
    if (rest.startsWith("(")) {
      const inner = parse(rest.slice(1));
      if (!inner.rest.startsWith(")")) throw invalidFields(text);
      for (const [name, below] of inner.tree) at.set(name, below);
      rest = inner.rest.slice(1);
    }
    if (!rest.startsWith(",")) return { tree, rest };
    rest = rest.slice(1);
  }
}

function select(value: unknown, tree: Tree): unknown {
  if (tree.size === 0) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => select(one, tree));
  if (typeof value !== "object" || value === null) return value;
  const below = (name: string): Tree | undefined => tree.get(name) ?? tree.get("*");
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const wanted = below(name);
      return wanted === undefined ? [] : [[name, select(inner, wanted)]];
    }),
  );
}

function invalidFields(fields: string): GcsError {
  const place = { locationType: "parameter", location: "fields" };
  return new GcsError(400, "invalidParameter", `Invalid field selection ${fields}`, place);
}
