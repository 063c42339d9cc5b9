import { Ec2Error, invalidValue } from "./ec2-error.ts";

/** The parameters of a request in the Query protocol: `Filter.1.Value.2=x`. */
export class Params {
  readonly #values: ReadonlyMap<string, string>;
  readonly #prefix: string;

  constructor(values: ReadonlyMap<string, string>, prefix = "") {
    this.#values = values;
    this.#prefix = prefix;
  }

  text(name: string): string | undefined {
    return this.#values.get(this.#prefix + name);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value !== undefined && value !== "") return value;
    throw new Ec2Error("MissingParameter", `The request must contain the parameter ${name}`);
  }

  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^-?\d+$/.test(value)) return Number(value);
    throw invalidValue(`Value (${value}) for parameter ${name} is invalid. It must be an integer.`);
  }

  boolean(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value === "true" || value === "false") return value === "true";
    throw invalidValue(`Value (${value}) for parameter ${name} is invalid. It must be true or false.`);
  }

  /** Returns `Name.1`, `Name.2`, … */
  list(name: string): readonly string[] {
    return this.#indexes(name).flatMap((index) => this.text(`${name}.${index}`) ?? []);
  }

  /** Returns the structures below `Name.1.`, `Name.2.`, … */
  structures(name: string): readonly Params[] {
    return this.#indexes(name).map((index) => new Params(this.#values, `${this.#prefix}${name}.${index}.`));
  }

  /** Returns everything that was said, in a fixed order, but for some names: equal texts mean equal requests. */
  fingerprint(except: readonly string[]): string {
    const pairs = [...this.#values].filter(([name]) => !except.includes(name));
    return JSON.stringify(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #indexes(name: string): readonly number[] {
    const start = `${this.#prefix}${name}.`;
    const found = new Set<number>();
    for (const key of this.#values.keys()) {
      const index = key.startsWith(start) ? /^\d+/.exec(key.slice(start.length)) : null;
      if (index !== null) found.add(Number(index[0]));
    }
    return [...found].sort((a, b) => a - b);
  }
}
