/** Anything JSON can hold. A number that a double cannot hold is a {@link RawNumber}, so that nothing is rounded. */
export type JsonValue = null | boolean | number | string | RawNumber | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A number kept as its source text (`JSON.rawJSON`). */
export interface RawNumber {
  readonly rawJSON: string;
}

/** A Kubernetes PersistentVolume, with every field that the server sent, known or not. */
export type PersistentVolume = JsonObject;

// TypeScript's library does not declare the source-text access of JSON yet (ECMA-262 since 2025).
interface SourceTextJson {
  parse(text: string, reviver: (key: string, value: JsonValue, context: { source?: string }) => JsonValue): JsonValue;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): boolean;
}
const sourceTextJson = JSON as unknown as SourceTextJson;

/** Parses JSON without rounding: a number that would not print as it was read keeps its text. Throws SyntaxError. */
export function parseJson(text: string): JsonValue {
  return sourceTextJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source
      ? sourceTextJson.rawJSON(source)
      : value,
  );
}

/** Prints JSON that {@link parseJson} read. */
export function printJson(value: JsonValue): string {
  return JSON.stringify(value);
}

/** Whether the value is a JSON object, neither an array nor a raw number. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !sourceTextJson.isRawJSON(value);
}
