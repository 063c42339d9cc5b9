import facts from "./facts.json" with { type: "json" };

/** What the command line knows of a plugin without running it; generated from the plugins' sources. */
export interface PluginFacts {
  readonly permissions: readonly PermissionFacts[];
  readonly locations: readonly LocationFacts[];
}

/** Something that an identity must be allowed to do. */
export interface PermissionFacts {
  readonly name: string;
  readonly part: string;
  readonly scope: string;
  /** The keys of which one must be set for it to be needed; undefined where every location needs it. */
  readonly keys?: readonly string[];
  /** The keys of which any makes it needless. */
  readonly unless?: readonly string[];
  /** What is lost without it, where a location works all the same. */
  readonly without?: string;
}

/** The keys of one kind of location. */
interface LocationFacts {
  readonly kind: string;
  readonly provider: string;
  readonly keys: Readonly<Record<string, KeyFacts>>;
}

/** One key of a location. */
export interface KeyFacts {
  readonly origin: string;
  readonly required: boolean;
  readonly isSecret: boolean;
  readonly ignored?: string;
}

/** The clouds, and restic, as `--provider` names them. */
export type Cloud = "aws" | "azure" | "gcp" | "restic";

/** All of them. */
const clouds: readonly Cloud[] = ["aws", "azure", "gcp", "restic"];

const empty: PluginFacts = { permissions: [], locations: [] };

/** The facts of one plugin; none of a plugin that this checkout does not have. */
export function factsOf(cloud: Cloud): PluginFacts {
  const known: Readonly<Record<string, PluginFacts | undefined>> = facts;
  return known[cloud] ?? empty;
}

/** The keys of a kind of location of a cloud. */
export function keysOf(
  cloud: Cloud,
  kind: "ObjectStore" | "VolumeSnapshotter",
): Readonly<Record<string, KeyFacts | undefined>> {
  return factsOf(cloud).locations.find((location) => location.kind === kind)?.keys ?? {};
}

/** The cloud of a provider's name: of `aws` and `velero.io/aws`, and of the alias for trials; undefined for others'. */
export function cloudOf(provider: string): Cloud | undefined {
  const name = provider.replace(/^[^/]*\//, "");
  return clouds.find((cloud) => cloud === name);
}
