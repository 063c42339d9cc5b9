import { workloadIdentity } from "./identity.ts";
import type { InstallSettings } from "./install-settings.ts";
import { serverResources } from "./resources.ts";
import { isOwnSecret, secretOf, usesOwnSecret } from "./secrets.ts";
import { shellWord } from "./shell-word.ts";

/** The line of the server's own command that installs it with this plugin, and what that command has no flag for. */
export function veleroCommand(settings: InstallSettings): { readonly text: string; readonly notes: readonly string[] } {
  const { store, volumes, namespace } = settings;
  const { annotations, podLabels } = workloadIdentity(settings);
  const { requests, limits } = serverResources(settings);
  const flags = [
    ["--provider", settings.provider],
    ["--plugins", settings.image],
    ["--bucket", store.bucket],
    ["--prefix", store.prefix],
    ["--namespace", namespace === "velero" ? "" : namespace],
    ["--backup-location-config", pairs(store.config)],
    ["--snapshot-location-config", pairs(volumes?.config ?? {})],
    ["--cacert", store.caCertPath ?? ""],
    ["--secret-file", usesOwnSecret(settings) ? (settings.credentials?.path ?? "./credentials") : ""],
    ["--sa-annotations", pairs(annotations)],
    ["--pod-labels", pairs(podLabels)],
    ["--velero-pod-mem-request", requests.memory],
    ["--velero-pod-mem-limit", limits.memory],
  ]
    .filter(([, value]) => value !== "")
    .map(([flag, value = ""]) => `${flag} ${shellWord(value)}`);
  const switches = [
    ...(usesOwnSecret(settings) ? [] : ["--no-secret"]),
    ...(volumes === undefined ? ["--use-volume-snapshots=false"] : []),
  ];
  return { text: `velero install \\\n  ${[...flags, ...switches].join(" \\\n  ")}\n`, notes: notesOf(settings) };
}

function notesOf(settings: InstallSettings): readonly string[] {
  const { store, volumes } = settings;
  const isCaLost = store.caCert !== undefined && store.caCertPath === undefined;
  return [
    ...(store.name === "default" ? [] : [`velero install names its location default, not ${store.name}`]),
    ...(volumes === undefined || volumes.name === "default"
      ? []
      : [`velero install names its snapshot location default, not ${volumes.name}`]),
    ...(store.isReadOnly ? ["velero install makes a location ReadWrite: set spec.accessMode to ReadOnly"] : []),
    ...namingOfSecret(settings, "store", "backup-location"),
    ...namingOfSecret(settings, "volumes", "snapshot-location"),
    ...(isCaLost ? ["the location's CA is not in this line: save it in a file and give it as --ca-cert FILE"] : []),
  ];
}

/** The server's environment names velero's own Secret, and for the clouds' own tools only. */
function namingOfSecret(settings: InstallSettings, part: "store" | "volumes", noun: string): readonly string[] {
  const secret = secretOf(settings, part);
  if (secret === undefined || (settings.cloud !== "restic" && isOwnSecret(secret))) return [];
  const namespace = settings.namespace === "velero" ? "" : ` --namespace ${settings.namespace}`;
  const named = shellWord(`${secret.name}=${secret.key}`);
  return [`afterwards: velero ${noun} set default --credential ${named}${namespace}`];
}

/** As the command reads it: a line of CSV, in which a pair with a comma or a quotation mark is quoted. */
function pairs(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}`)
    .map((pair) => (/[",\n\r]/.test(pair) ? `"${pair.replaceAll('"', '""')}"` : pair))
    .join(",");
}
