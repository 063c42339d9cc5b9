import { PluginError } from "./plugin-error.ts";

/** One key of a location's `spec.config`, or one that the server adds. Built by the functions of config-keys.ts. */
export interface ConfigKey<T = unknown> {
  /** One sentence for the reference table and for errors. */
  readonly help: string;
  /** The form that a value must have, in words: `true or false`, `http or https URL`. */
  readonly form: string;
  /** Reads the text; a wrong form throws an Error whose message says what is wrong, without repeating the value. */
  parse(text: string): T;
  /** The value where the key is absent or, unless `keepsEmpty`, empty. */
  readonly fallback: T | undefined;
  /** What the table prints as the default; undefined for none. */
  readonly defaultText: string | undefined;
  /** Whether an absent value is refused. */
  readonly required: boolean;
  /** Whether the empty text is a value of its own rather than "unset". */
  readonly keepsEmpty: boolean;
  /** `official`: as the official plugin spells it; `server`: added by the server; `ours`: remove before switching back. */
  readonly origin: "official" | "server" | "ours";
  /** Whether the value must never be printed. */
  readonly secret: boolean;
  /** Why the key is accepted without effect; undefined for a key that has one. */
  readonly ignored: string | undefined;
  /** The keys within its value, for a key whose value is made of URLs with a query. */
  readonly query?: ConfigSchema;
}

/** Every key that a location may have, and the rules between keys. */
export interface ConfigSchema {
  readonly keys: Readonly<Record<string, ConfigKey>>;
  /** Groups of keys of which one at most may be set. */
  readonly exclusive?: readonly (readonly string[])[];
}

/** The values of a parsed configuration, by key. */
export type ConfigValues<S extends ConfigSchema> = {
  readonly [K in keyof S["keys"]]: S["keys"][K] extends ConfigKey<infer T> ? T : never;
};

/**
 * Reads a location's configuration. Unknown keys, wrong forms, missing and contradictory keys are refused together, in
 * one `invalid-config` error that names each key, its form and the remedy. Values never appear in the message.
 */
export function parseConfig<const S extends ConfigSchema>(
  schema: S,
  config: Readonly<Record<string, string>>,
): ConfigValues<S> {
  const { values, faults } = readConfig(schema, config);
  if (faults.length > 0)
    throw new PluginError(`invalid configuration: ${faults.join("; ")}`, { kind: "invalid-config" });
  return values;
}

/** Reads the keys of one schema; the values count only where there are no faults. */
export function readConfig<const S extends ConfigSchema>(
  schema: S,
  config: Readonly<Record<string, string>>,
): { readonly values: ConfigValues<S>; readonly faults: readonly string[] } {
  const values: Record<string, unknown> = {};
  const faults = [...unknownKeys(schema, config), ...contradictions(schema, config)];
  for (const [name, key] of Object.entries(schema.keys)) {
    const text = config[name];
    if (!isSet(key, text)) {
      if (key.required) faults.push(`${name} is missing (${key.form}): ${key.help}`);
      values[name] = key.fallback;
      continue;
    }
    try {
      values[name] = key.parse(text);
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)} (expected ${key.form})`);
    }
  }
  // Each value was parsed by the key of that name just above.
  return { values: values as ConfigValues<S>, faults };
}

/** The keys of this configuration that are accepted without effect, with the reason. */
export function ignoredKeys(
  schema: ConfigSchema,
  config: Readonly<Record<string, string>>,
): readonly { readonly name: string; readonly reason: string }[] {
  return Object.entries(schema.keys).flatMap(([name, key]) =>
    key.ignored !== undefined && isSet(key, config[name]) ? [{ name, reason: key.ignored }] : [],
  );
}

function isSet(key: ConfigKey, text: string | undefined): text is string {
  return text !== undefined && (text !== "" || key.keepsEmpty);
}

function unknownKeys(schema: ConfigSchema, config: Readonly<Record<string, string>>): string[] {
  const known = Object.keys(schema.keys);
  const unknown = Object.keys(config).filter((name) => !Object.hasOwn(schema.keys, name));
  if (unknown.length === 0) return [];
  const hints = unknown.toSorted().map((name) => {
    const nearest = nearestKey(name, known);
    return nearest === undefined ? name : `${name} (did you mean ${nearest}?)`;
  });
  // "config has invalid keys" and "valid keys are" are the official plugins' words, which people search for.
  return [`config has invalid keys [${hints.join(", ")}]; valid keys are [${known.toSorted().join(", ")}]`];
}

function contradictions(schema: ConfigSchema, config: Readonly<Record<string, string>>): string[] {
  return (schema.exclusive ?? []).flatMap((group) => {
    const present = group.filter((name) => (config[name] ?? "") !== "");
    return present.length > 1 ? [`${present.join(" and ")} exclude each other: keep one`] : [];
  });
}

function nearestKey(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries()) {
      const substitution = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
