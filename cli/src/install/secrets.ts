import type { SecretKey } from "../location-file.ts";
import { usesSecret } from "./identity.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";

/** Which location. */
export type Part = "store" | "volumes";

/** The Secret that a location reads its credentials from: velero's own, unless the location names another. */
export function secretOf(settings: InstallSettings, part: Part): SecretKey | undefined {
  if (!usesSecret(settings) || settings[part] === undefined) return undefined;
  const own = { name: secretName, key: secretKey };
  return settings.credentials === undefined ? (settings[part].secret ?? own) : own;
}

/** Whether it is velero's own, which its installation makes and mounts. */
export function isOwnSecret({ name, key }: SecretKey): boolean {
  return name === secretName && key === secretKey;
}

/** Whether any location reads from velero's own. */
export function usesOwnSecret(settings: InstallSettings): boolean {
  const secrets = [secretOf(settings, "store"), secretOf(settings, "volumes")];
  return secrets.some((secret) => secret !== undefined && isOwnSecret(secret));
}

/** Whether the two locations read from two Secrets. */
export function hasTwoSecrets(settings: InstallSettings): boolean {
  const [store, volumes] = [secretOf(settings, "store"), secretOf(settings, "volumes")];
  return store !== undefined && volumes !== undefined && (store.name !== volumes.name || store.key !== volumes.key);
}
