import { factsOf } from "../plugin-facts/plugin-facts.ts";
import type { PermissionFacts } from "../plugin-facts/plugin-facts.ts";
import type { InstallSettings } from "./install-settings.ts";

/** Which of the two locations a policy is for. */
export type PolicyPart = "objects" | "volumes";

/** Both. */
export const policyParts: readonly PolicyPart[] = ["objects", "volumes"];

/** The permissions that these locations need, each once. */
export function neededPermissions(
  settings: InstallSettings,
  parts: readonly PolicyPart[] = policyParts,
): readonly PermissionFacts[] {
  return factsOf(settings.cloud).permissions.filter(({ part, keys, unless }) => {
    const config = part === "objects" ? settings.store.config : settings.volumes?.config;
    if (config === undefined || !parts.some((wanted) => wanted === part)) return false;
    if (unless?.some((key) => isOn(config[key])) === true) return false;
    return keys === undefined || keys.some((key) => isOn(config[key]) || isOptionOfCopies(config, key));
  });
}

/** Whether a key's value asks for something: a switch that is off, and waiting for nothing, do not. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "f", "false", "none"].includes(value.toLowerCase());
}

/** Whether a key is set for the copies only, as in `copyTo=s3://bucket?tagging=a=b`. */
function isOptionOfCopies(config: Readonly<Record<string, string>>, key: string): boolean {
  const copies = `${config["copyTo"] ?? ""} ${config["copyToRegions"] ?? ""}`;
  return [...copies.matchAll(/[?&]([^=&?\s,]+)=([^&\s,]*)/g)].some(([, name, value]) => name === key && isOn(value));
}
