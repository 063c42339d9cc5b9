import type { ConfigSchema, Definition, Permission } from "@flotilla/sdk/plugin";

/** What the command line has to know of a plugin without running it, nor importing its source. */
export interface PluginFacts {
  readonly permissions: readonly Permission[];
  readonly locations: readonly LocationFacts[];
}

interface LocationFacts {
  readonly kind: Definition["kind"];
  readonly provider: string;
  readonly keys: Readonly<Record<string, KeyFacts>>;
}

interface KeyFacts {
  readonly origin: "official" | "server" | "ours";
  readonly required: boolean;
  readonly isSecret: boolean;
  /** Why the key has no effect. */
  readonly ignored?: string;
}

/** The facts of one plugin. */
export function factsOf(definitions: readonly Definition[], permissions: readonly Permission[]): PluginFacts {
  const locations = definitions.map(({ kind, name, config }) => ({ kind, provider: name, keys: keyFacts(config) }));
  return { permissions, locations };
}

function keyFacts({ keys }: ConfigSchema): Readonly<Record<string, KeyFacts>> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, { origin, required, secret, ignored }]) => [
      name,
      { origin, required, isSecret: secret, ...(ignored === undefined ? {} : { ignored }) },
    ]),
  );
}
