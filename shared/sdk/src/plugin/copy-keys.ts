import type { ConfigKey } from "./config.ts";
import { custom, text } from "./config-keys.ts";

/** One region of `copyToRegions`, with what was said of it. */
export interface RegionTarget<K extends string = string> {
  readonly region: string;
  readonly options: Readonly<Partial<Record<K, string>>>;
}

const regionName = /^[a-z0-9]+(?:-?[a-z0-9]+)*$/;

/** The keys of a VolumeSnapshotLocation by which snapshots get to other regions and are restored there. */
export function copyKeys<const K extends string>(
  options: readonly K[],
): {
  readonly copyToRegions: ConfigKey<readonly RegionTarget<K>[]>;
  readonly zoneMap: ConfigKey<ReadonlyMap<string, string>>;
  readonly defaultZone: ConfigKey<string | undefined>;
} {
  const form = `regions such as ${formOf(options)}, separated by commas`;
  return {
    copyToRegions: custom(
      "Regions that get a copy of each snapshot.",
      form,
      (value) => parseCopyRegions(value, options),
      { fallback: [], defaultText: "none", origin: "ours" },
    ),
    zoneMap: custom(
      "Which zone takes the place of which when a volume is restored.",
      "zones such as eu-central-1a=eu-west-1b, separated by commas",
      parseZoneMap,
      { fallback: new Map<string, string>(), defaultText: "none", origin: "ours" },
    ),
    defaultZone: text("Zone of restored volumes whose own is not in this region and not in zoneMap.", {
      origin: "ours",
    }),
  };
}

/** Reads `copyToRegions`: regions, each with a query of these options. */
export function parseCopyRegions<const K extends string>(
  value: string,
  options: readonly K[],
): readonly RegionTarget<K>[] {
  const targets = words(value).map((word) => parseRegion(word, options));
  if (targets.length === 0) throw new Error("no region");
  const twice = targets.find(({ region }, index) => targets.findIndex((other) => other.region === region) < index);
  if (twice !== undefined) throw new Error(`the region ${twice.region} is given twice`);
  return targets;
}

/** Reads `zoneMap`: pairs of a recorded zone and the one that takes its place. */
export function parseZoneMap(value: string): ReadonlyMap<string, string> {
  const pairs = words(value).map((word) => {
    const [from = "", to = "", ...rest] = word.split("=");
    if (from === "" || to === "" || rest.length > 0) throw new Error("not of the form ZONE=ZONE");
    return [from, to] as const;
  });
  if (new Set(pairs.map(([from]) => from)).size < pairs.length) throw new Error("a zone is mapped twice");
  return new Map(pairs);
}

function parseRegion<K extends string>(word: string, options: readonly K[]): RegionTarget<K> {
  const at = word.indexOf("?");
  const region = at < 0 ? word : word.slice(0, at);
  if (!regionName.test(region)) throw new Error("a region's name has lower-case letters, digits and dashes only");
  const found: Partial<Record<K, string>> = {};
  for (const [name, value] of new URLSearchParams(at < 0 ? "" : word.slice(at + 1))) {
    const option = options.find((known) => known === name);
    if (option === undefined)
      throw new Error(`${region} has the unknown option ${name}; known are ${options.join(", ") || "none"}`);
    if (value === "") throw new Error(`${region}: the option ${name} is empty`);
    if (found[option] !== undefined) throw new Error(`${region}: the option ${name} is given twice`);
    found[option] = value;
  }
  return { region, options: found };
}

function words(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((word) => word !== "");
}

function formOf(options: readonly string[]): string {
  return options.length === 0 ? "NAME" : `NAME?${options.map((option) => `${option}=…`).join("&")}`;
}
