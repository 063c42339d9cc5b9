import { PluginError } from "@flotilla/sdk/plugin";

/** The kinds that a plugin may list; the lister's own kind is not among them. */
export const pluginKinds = [
  "ObjectStore",
  "VolumeSnapshotter",
  "BackupItemAction",
  "BackupItemActionV2",
  "RestoreItemAction",
  "RestoreItemActionV2",
  "DeleteItemAction",
  "ItemBlockAction",
] as const;

/** A kind of implementation. */
export type PluginKind = (typeof pluginKinds)[number];

const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxSubdomainLength = 253;

/** Whether the text is a kind that the server knows. */
export function isPluginKind(text: string): text is PluginKind {
  return pluginKinds.some((kind) => kind === text);
}

/** Refuses a name that is not `<DNS-1123 subdomain>/<name>`, by the server's rule. */
export function validatePluginName(name: string): void {
  const fault = nameFault(name);
  if (fault === undefined) return;
  throw new PluginError(
    `plugin name ${JSON.stringify(name)} is invalid: ${fault}; a name looks like velero.io/aws or example.com/my-plugin`,
    { kind: "invalid-argument" },
  );
}

/** The name under which the server looks a provider up: a bare `aws` means `velero.io/aws`. */
export function expandPluginName(name: string): string {
  return name.includes("/") ? name : `velero.io/${name}`;
}

function nameFault(name: string): string | undefined {
  const [domain, local, ...rest] = name.split("/");
  if (domain === undefined || local === undefined || rest.length > 0) return "it must hold exactly one slash";
  if (domain === "" || local === "") return "both sides of the slash must be there";
  if (domain.length > maxSubdomainLength) return `the domain is longer than ${maxSubdomainLength} characters`;
  if (!dns1123Subdomain.test(domain)) return "the domain must be lower-case letters, digits, dashes and dots";
  return undefined;
}
