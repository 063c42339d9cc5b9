/** A folder with fields of a PersistentVolume in it, such as `nfs/{attributes.subdir}`: text as it stands and fields. */
export type PathTemplate = readonly ({ readonly literal: string } | { readonly field: string })[];

/** Looks a field of a PersistentVolume up; undefined where it has none of that name. */
export type FieldLookup = (field: string) => string | undefined;

/** Reads a template. Throws an Error for a brace without its counterpart. */
export function parseTemplate(text: string): PathTemplate {
  return [...text.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)].map(([piece, field]) => {
    if (field !== undefined) return { field };
    if (piece === "{" || piece === "}") throw new Error(`${text} has a brace without its counterpart`);
    return { literal: piece };
  });
}

/** The fields of a template in their order. */
export function fieldsOf(template: PathTemplate): readonly string[] {
  return template.flatMap((piece) => ("field" in piece ? [piece.field] : []));
}

/** The template with every field filled in; undefined where the PersistentVolume lacks one or has it empty. */
export function fillTemplate(template: PathTemplate, lookup: FieldLookup): string | undefined {
  let filled = "";
  for (const piece of template) {
    const value = "field" in piece ? lookup(piece.field) : piece.literal;
    if (value === undefined || value === "") return undefined;
    filled += value;
  }
  return filled;
}

/** A field, and the value that it must get. */
export interface SolvedField {
  readonly field: string;
  readonly value: string;
}

/**
 * What the last field must be for the template to yield this folder while the other fields keep their values; undefined
 * where no value does.
 */
export function solveLastField(template: PathTemplate, folder: string, lookup: FieldLookup): SolvedField | undefined {
  const index = template.findLastIndex((piece) => "field" in piece);
  const last = template[index];
  if (last === undefined || !("field" in last)) return undefined;
  const before = fillTemplate(template.slice(0, index), lookup);
  const after = fillTemplate(template.slice(index + 1), lookup);
  if (before === undefined || after === undefined) return undefined;
  const start = singleSlashes(before).replace(/^\//, "");
  const end = singleSlashes(after).replace(/\/$/, "");
  const isBetween = folder.startsWith(start) && folder.endsWith(end) && folder.length > start.length + end.length;
  return isBetween ? { field: last.field, value: folder.slice(start.length, folder.length - end.length) } : undefined;
}

function singleSlashes(text: string): string {
  return text.replaceAll(/\/+/g, "/");
}
