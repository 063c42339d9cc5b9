import { custom, oneOf } from "./config-keys.ts";
import { readConfig } from "./config.ts";
import { PluginError } from "./plugin-error.ts";
import type { ConfigKey, ConfigSchema, ConfigValues } from "./config.ts";
import type { Finding } from "./inspection.ts";

/** `required`: what is not copied is not stored; `best-effort`: a missing copy is a warning. */
export type CopyMode = "required" | "best-effort";

/** One place to which a location's objects are copied. */
export interface CopyTarget<V = unknown> {
  /** For logs and errors: the URL without its query. */
  readonly name: string;
  readonly bucket: string;
  /** Takes the place of the location's prefix; undefined where keys stay as they are. */
  readonly prefix: string | undefined;
  readonly mode: CopyMode;
  /** The keys of the URL's query. */
  readonly config: V;
}

/** What the URLs of one cloud look like. */
export interface CopyTargetForm<S extends ConfigSchema> {
  /** For example `s3`. */
  readonly scheme: string;
  /** The keys that a query may have, the location's own wherever they mean the same. */
  readonly query: S;
  /** Those of them that tell one bucket from another of the same name. */
  readonly placeKeys?: readonly (keyof S["keys"] & string)[];
}

const maxTargets = 8;
const modeKey = oneOf(
  "Whether a put or delete fails when that of the copy does, or only warns.",
  ["required", "best-effort"],
  { fallback: "required", origin: "ours" },
);

/**
 * The key `copyTo`: URLs such as `s3://bucket/prefix?region=eu-west-1`, separated by white space or commas. A bucket
 * given twice, another cloud's URL and unknown keys in the query are refused.
 */
export function copyTargets<const S extends ConfigSchema>(
  help: string,
  form: CopyTargetForm<S>,
): ConfigKey<readonly CopyTarget<ConfigValues<S>>[]> {
  const url = `${form.scheme}://bucket[/prefix][?key=value&…]`;
  const key = custom(help, `${url}, several separated by white space`, (text) => parseTargets(text, form), {
    fallback: [],
    defaultText: "no copies",
    origin: "ours",
  });
  return { ...key, query: withMode(form.query) };
}

/**
 * Refuses a target in the location's own bucket, which would be lost together with it. `own` holds the location's bucket
 * and its values of the keys that tell buckets of one name apart; a target without such a key shares the location's.
 */
export function requireOtherBuckets(
  targets: readonly CopyTarget<Readonly<Record<string, unknown>>>[],
  own: Readonly<Record<string, unknown>> & { readonly bucket: string },
): void {
  const { bucket, ...place } = own;
  const same = targets.find(
    (target) =>
      target.bucket === bucket &&
      Object.entries(place).every(([key, value]) => String(target.config[key] ?? value) === String(value)),
  );
  if (same === undefined) return;
  throw new PluginError(
    `invalid configuration: copyTo: ${same.name} is the location's own bucket, with which the copy would be lost; name a bucket of another region`,
    { kind: "invalid-config" },
  );
}

/** A target's findings as the location's: each names the target, and what only a best-effort copy lacks is advice. */
export async function* findingsOf(
  target: CopyTarget,
  findings: AsyncIterable<Finding> | Iterable<Finding>,
): AsyncGenerator<Finding> {
  for await (const finding of findings) {
    const isOnlyAdvice = finding.severity === "failure" && target.mode === "best-effort";
    const severity = isOnlyAdvice ? "advice" : finding.severity;
    yield { ...finding, severity, subject: `copyTo ${target.name}: ${finding.subject}` };
  }
}

function parseTargets<S extends ConfigSchema>(
  text: string,
  form: CopyTargetForm<S>,
): readonly CopyTarget<ConfigValues<S>>[] {
  const urls = text.split(/[\s,]+/).filter((url) => url !== "");
  if (urls.length > maxTargets) throw new Error(`${urls.length} targets, more than ${maxTargets}`);
  const targets = urls.map((url, index) => parseTarget(url, index + 1, form));
  const placed = targets.map(({ bucket, prefix, name, config }) => {
    const place = JSON.stringify([bucket, ...(form.placeKeys ?? []).map((key) => String(config[key] ?? ""))]);
    return { place, prefix, name };
  });
  for (const [index, one] of placed.entries())
    for (const other of placed.slice(0, index)) if (one.place === other.place) refuseSamePlace(one, other);
  return targets;
}

type Placed = Pick<CopyTarget, "name" | "prefix">;

/** Each target is to be a location of its own, and the server refuses a location with folders of others in it. */
function refuseSamePlace(one: Placed, other: Placed): void {
  if (one.prefix === other.prefix) throw new Error(`${one.name} is given twice`);
  if (one.prefix === undefined || other.prefix === undefined) return;
  const [a, b] = [`${one.prefix}/`, `${other.prefix}/`];
  if (a.startsWith(b) || b.startsWith(a)) throw new Error(`${one.name} and ${other.name} lie within each other`);
}

function parseTarget<S extends ConfigSchema>(
  text: string,
  position: number,
  { scheme, query }: CopyTargetForm<S>,
): CopyTarget<ConfigValues<S>> {
  // Not repeated where it is no URL: whatever it is may be secret.
  if (!URL.canParse(text)) throw new Error(`target ${position} is not a URL`);
  const url = new URL(text);
  if (url.protocol !== `${scheme}:`) throw new Error(`target ${position} is not of the form ${scheme}://bucket`);
  const bucket = decode(url.hostname, position);
  const prefix = decode(url.pathname, position).replace(/^\/+|\/+$/g, "");
  const hasMore = url.username !== "" || url.password !== "" || url.port !== "" || url.hash !== "";
  if (bucket === "" || hasMore)
    throw new Error(`target ${position} has more or less than a bucket, a prefix and a query`);
  const name = `${scheme}://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  const given = parseQuery(url.searchParams, name);
  const { values, faults } = readConfig(withMode(query), given);
  if (faults.length > 0) throw new Error(`${name}: ${faults.join("; ")}`);
  const { mode, ...config } = values;
  return {
    name,
    bucket,
    prefix: prefix === "" ? undefined : prefix,
    // Parsed by the key of that name just above; what is left are the keys of the query's own schema.
    mode: mode as CopyMode,
    config: config as unknown as ConfigValues<S>,
  };
}

function withMode<const S extends ConfigSchema>(query: S) {
  return { ...query, keys: { mode: modeKey, ...query.keys } };
}

function parseQuery(search: URLSearchParams, name: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const [key, value] of search) {
    if (Object.hasOwn(pairs, key)) throw new Error(`${name}: ${key} is given twice`);
    pairs[key] = value;
  }
  return pairs;
}

function decode(text: string, position: number): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new Error(`target ${position} is not well encoded`, { cause: error });
  }
}
