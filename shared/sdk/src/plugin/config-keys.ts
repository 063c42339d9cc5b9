import type { ConfigKey } from "./config.ts";

/** What the builders below take beside the help sentence. */
export interface KeyOptions<T> {
  readonly fallback?: T;
  readonly defaultText?: string;
  readonly required?: boolean;
  readonly keepsEmpty?: boolean;
  readonly origin?: ConfigKey["origin"];
  readonly secret?: boolean;
  readonly ignored?: string;
}

/** A key that may be absent. */
type Optional<T, O> = O extends { readonly fallback: T } | { readonly required: true } ? T : T | undefined;

const boolWords = new Map<string, boolean>([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false] as const),
]);

const durationUnitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  k: 1000,
  M: 1000 ** 2,
  G: 1000 ** 3,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Free text. */
export function text<const O extends KeyOptions<string>>(help: string, options?: O): ConfigKey<Optional<string, O>> {
  return key(help, "text", (value) => value, options);
}

/** A boolean in the words of Go's strconv.ParseBool, as the official plugins read it. */
export function bool<const O extends KeyOptions<boolean>>(help: string, options?: O): ConfigKey<Optional<boolean, O>> {
  return key(
    help,
    "true or false",
    (value) => {
      const word = boolWords.get(value);
      if (word === undefined) throw new Error("not a boolean");
      return word;
    },
    options,
  );
}

/** One of a fixed list of words. */
export function oneOf<const W extends string, const O extends KeyOptions<W>>(
  help: string,
  words: readonly W[],
  options?: O,
): ConfigKey<Optional<W, O>> {
  return key(
    help,
    `one of ${words.map((word) => (word === "" ? '""' : word)).join(", ")}`,
    (value) => {
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) throw new Error("not one of the known words");
      return word;
    },
    options,
  );
}

/** An http or https URL. */
export function url<const O extends KeyOptions<URL>>(help: string, options?: O): ConfigKey<Optional<URL, O>> {
  return key(
    help,
    "http or https URL",
    (value) => {
      if (!URL.canParse(value)) throw new Error("not a URL");
      const parsed = new URL(value);
      if (parsed.protocol !== "http:" && parsed.protocol !== "https:") throw new Error("neither http nor https");
      return parsed;
    },
    options,
  );
}

/** A duration in Go's form (`90s`, `1h30m`), in milliseconds. */
export function duration<const O extends KeyOptions<number>>(
  help: string,
  options?: O,
): ConfigKey<Optional<number, O>> {
  return key(help, "duration such as 90s or 1h30m", parseDuration, options);
}

/** An amount of bytes in Kubernetes' form (`64Mi`, `1Gi`, `500M`), in bytes. */
export function byteSize<const O extends KeyOptions<number>>(
  help: string,
  options?: O,
): ConfigKey<Optional<number, O>> {
  return key(
    help,
    "bytes such as 64Mi",
    (value) => {
      const match = /^(\d+)(k|M|G|Ki|Mi|Gi)?$/.exec(value);
      if (match === null) throw new Error("not an amount of bytes");
      return Number(match[1]) * (sizeUnits[match[2] ?? ""] ?? 1);
    },
    options,
  );
}

/** A key with a form of its own: `parse` throws an Error with the reason for a wrong value. */
export function custom<T, const O extends KeyOptions<T>>(
  help: string,
  form: string,
  parse: (text: string) => T,
  options?: O,
): ConfigKey<Optional<T, O>> {
  return key(help, form, parse, options);
}

function parseDuration(value: string): number {
  const parts = [...value.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  // Go takes a sign, of which only one makes sense here.
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== value.replace(/^\+/, ""))
    throw new Error("not a duration");
  return parts.reduce((sum, part) => sum + Number(part[1]) * (durationUnitMs[part[2] ?? ""] ?? 0), 0);
}

function key<T, const O extends KeyOptions<T>>(
  help: string,
  form: string,
  parse: (text: string) => T,
  options: O | undefined,
): ConfigKey<Optional<T, O>> {
  const given: KeyOptions<T> = options ?? {};
  const built: ConfigKey<T> = {
    help,
    form,
    parse,
    fallback: given.fallback,
    defaultText: given.defaultText ?? (given.fallback === undefined ? undefined : String(given.fallback)),
    required: given.required ?? false,
    keepsEmpty: given.keepsEmpty ?? false,
    origin: given.origin ?? "official",
    secret: given.secret ?? false,
    ignored: given.ignored,
  };
  // A key without fallback that is not required yields undefined when absent: that is what Optional says.
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- without it, tsc refuses the conditional type
  return built as ConfigKey<Optional<T, O>>;
}
