const longestText = 120;

/** A request in one line. Values of a config are left out: some are secrets. */
export function describeRequest(request: object): string {
  return describe(request);
}

/** An answer in one line. */
export function describeAnswer(answer: object): string {
  const text = describe(answer);
  return text === "" ? "OK" : `OK ${text}`;
}

function describe(message: object): string {
  return Object.entries(message)
    .filter(([name]) => !name.startsWith("$") && name !== "plugin")
    .map(([name, value]) => `${name}=${describeValue(name, value)}`)
    .join(" ");
}

function describeValue(name: string, value: unknown): string {
  if (name === "config" && typeof value === "object" && value !== null) return `{${Object.keys(value).join(", ")}}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return describeList(value);
  if (typeof value === "bigint") return `${value}`;
  return shortened(JSON.stringify(value) ?? "nothing");
}

function describeList(values: readonly unknown[]): string {
  const shown = values.slice(0, 4).map((value) => shortened(JSON.stringify(value) ?? "nothing"));
  return `[${shown.join(", ")}${values.length > shown.length ? `, … ${values.length} in all` : ""}]`;
}

/** Text that is worth its beginning only. */
export function shortened(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}… (${text.length} characters)`;
}
