import { ArmError, invalidParameter } from "./arm-error.ts";

/** A JSON object of a request, read field by field. */
export class JsonBody {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  private constructor(fields: Readonly<Record<string, unknown>>, path: string) {
    this.#fields = fields;
    this.#path = path;
  }

  /** Reads a request's body. */
  static parse(body: Buffer): JsonBody {
    let value: unknown;
    try {
      value = JSON.parse(body.toString("utf8"));
    } catch (error) {
      throw new ArmError(400, "InvalidRequestContent", `The request content was invalid: '${String(error)}'.`);
    }
    if (!isObject(value)) {
      throw new ArmError(400, "InvalidRequestContent", "The request content was invalid: it is not an object.");
    }
    return new JsonBody(value, "");
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Returns a field's object, undefined where it is absent or null. */
  object(name: string): JsonBody | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined) return undefined;
    if (isObject(value)) return new JsonBody(value, `${this.#path}${name}.`);
    throw this.#wrong(name);
  }

  text(name: string): string | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined || typeof value === "string") return value;
    throw this.#wrong(name);
  }

  number(name: string): number | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw this.#wrong(name);
  }

  boolean(name: string): boolean | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(name);
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
    throw this.#wrong(name);
  }

  /** Returns all fields of an object of texts. */
  entries(): readonly (readonly [string, string])[] {
    return this.names.map((name) => [name, this.text(name) ?? ""]);
  }

  /** Returns a field as it is. */
  raw(name: string): unknown {
    return this.#fields[name] ?? undefined;
  }

  #wrong(name: string): ArmError {
    return invalidParameter(`The value of parameter ${this.#path}${name} is invalid.`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
