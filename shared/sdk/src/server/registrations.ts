import { PluginError } from "../plugin/index.ts";
import type { Definition } from "../plugin/index.ts";

/** A definition under the name that it is registered by. */
export interface Registration {
  readonly kind: Definition["kind"];
  readonly name: string;
  readonly definition: Definition;
}

const officialDomain = "velero.io";
const dnsLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const dnsSubdomain = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`);

/**
 * The names under which the definitions are registered. With an alias, `velero.io/<name>` becomes `<alias>/<name>`, so
 * that the executable can run beside the official plugin: the server refuses to start when two register one name.
 */
export function registrationsOf(definitions: readonly Definition[], alias: string | undefined): Registration[] {
  if (alias !== undefined && alias !== "" && !isDnsSubdomain(alias))
    throw invalid(`FLOTILLA_ALIAS=${alias} is no DNS-1123 subdomain; use one such as flotilla.io`);
  const registrations = definitions.map((definition) => ({
    kind: definition.kind,
    name: aliased(definition.name, alias),
    definition,
  }));
  const seen = new Set<string>();
  for (const { kind, name } of registrations) {
    if (!isImplementationName(name)) throw invalid(`the name ${name} is not of the form <DNS-1123 subdomain>/<name>`);
    if (seen.has(`${kind} ${name}`)) throw invalid(`${kind} ${name} is registered twice`);
    seen.add(`${kind} ${name}`);
  }
  return registrations;
}

/** The definition of this kind that is registered under the name. */
export function requireDefinition<K extends Definition["kind"]>(
  registrations: readonly Registration[],
  kind: K,
  name: string,
): Extract<Definition, { readonly kind: K }> {
  const definition = registrations.find((registration) => registration.kind === kind && registration.name === name);
  if (definition !== undefined && isOfKind(definition.definition, kind)) return definition.definition;
  const known = registrations
    .filter((registration) => registration.kind === kind)
    .map((registration) => registration.name);
  throw new PluginError(
    `${kind} ${name} is not registered by this executable; it registers ${known.join(", ") || "none of this kind"}`,
    { kind: "invalid-argument" },
  );
}

function isOfKind<K extends Definition["kind"]>(
  definition: Definition,
  kind: K,
): definition is Extract<Definition, { readonly kind: K }> {
  return definition.kind === kind;
}

function aliased(name: string, alias: string | undefined): string {
  if (alias === undefined || alias === "" || !name.startsWith(`${officialDomain}/`)) return name;
  return alias + name.slice(officialDomain.length);
}

function isImplementationName(name: string): boolean {
  const [domain, rest, ...more] = name.split("/");
  return more.length === 0 && domain !== undefined && isDnsSubdomain(domain) && rest !== undefined && rest !== "";
}

function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && dnsSubdomain.test(text);
}

function invalid(message: string): PluginError {
  return new PluginError(message, { kind: "invalid-config" });
}
