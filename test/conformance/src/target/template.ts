/** What a target file may refer to: `{scratch}`, `{files.NAME}`, `{started.NAME}`, `{env.NAME}`. */
export type TemplateValues = ReadonlyMap<string, string>;

/** Fills every text of a value in, keys left as they are. An unknown reference is an error that names it. */
export function fillTemplate(value: unknown, values: TemplateValues): unknown {
  if (typeof value === "string") return fillText(value, values);
  if (Array.isArray(value)) return value.map((item) => fillTemplate(item, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillTemplate(item, values)]));
}

function fillText(text: string, values: TemplateValues): string {
  return text.replaceAll(/\{((?:files|started|env)\.[\w.-]+|scratch)\}/g, (reference, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${reference} is not known; known are ${[...values.keys()].join(", ")}`);
    return value;
  });
}
