import type { Report } from "../context.ts";
import { helmValues } from "./helm-values.ts";
import type { InstallSettings } from "./install-settings.ts";
import { copySecretName, copySecretOf } from "./job-secrets.ts";
import { manifestObjects, manifestStream, valuesText } from "./manifests.ts";
import type { PolicyPart } from "./needed-permissions.ts";
import { policyOf } from "./policy.ts";
import type { Policy } from "./policy.ts";
import { veleroCommand } from "./velero-command.ts";

/** In which form an installation is printed. */
export type InstallForm = "velero" | "helm" | "manifests" | "json";

/** All forms. */
export const installForms: readonly InstallForm[] = ["velero", "helm", "manifests", "json"];

/** The installation in one form, and what is to be known beside it. */
export function renderInstall(
  settings: InstallSettings,
  form: InstallForm,
  { isPolicyAlone, part }: { readonly isPolicyAlone: boolean; readonly part: PolicyPart | undefined },
): Report & { readonly notes: readonly string[] } {
  if (isPolicyAlone) {
    const { json, text, commands, notes } = policyOf(settings, part);
    return { json, text, notes: [...commands, ...notes] };
  }
  // restic's store has an identity of its own making.
  const policy = settings.cloud === "restic" ? undefined : policyOf(settings);
  const velero = veleroCommand(settings);
  const json = {
    velero: velero.text,
    helm: helmValues(settings),
    manifests: manifestObjects(settings),
    policy: policy?.json,
  };
  return { json, text: textOf(settings, form, policy), notes: notesOf(settings, form) };
}

function textOf(settings: InstallSettings, form: InstallForm, policy: Policy | undefined): string {
  switch (form) {
    case "velero":
      return veleroCommand(settings).text;
    case "helm":
      return valuesText(settings);
    case "manifests":
      return manifestStream(settings, policy);
    // Printed as the one document.
    case "json":
      return "";
    default:
      return form satisfies never;
  }
}

function notesOf(settings: InstallSettings, form: InstallForm): readonly string[] {
  const { image, cliImage, copyTo } = settings;
  const images = form === "velero" ? [image] : [image, cliImage, ...(copyTo === undefined ? [] : [copyTo.image])];
  const hasPlaceholder = images.some((reference) => /YOUR-REGISTRY|:TAG$/.test(reference));
  return [
    ...(form === "velero" ? veleroCommand(settings).notes : []),
    ...(hasPlaceholder ? ["say where the images are with --registry and --tag, or --image and --cli-image"] : []),
    ...filesThatAreMissing(settings).map(
      (key) =>
        `nothing of this mounts the file that the key ${key} names: add it to the pods, or name a Secret instead`,
    ),
    ...(settings.credentials !== undefined && form !== "velero"
      ? [`the output holds the credentials of ${settings.credentials.path}: keep it out of version control`]
      : []),
    ...copyNotes(settings, form),
    ...authorityNotes(settings, form),
    ...identityNotes(settings),
  ];
}

function copyNotes(settings: InstallSettings, form: InstallForm): readonly string[] {
  const { name, key } = copySecretOf(settings);
  if (settings.copyTo === undefined || form === "velero" || name !== copySecretName) return [];
  return [`the CronJob that copies wants the target's credentials in the Secret ${name}, key ${key}`];
}

/** Neither velero's line nor the chart has a word for a CA in a Secret. */
function authorityNotes({ store: { caSecret } }: InstallSettings, form: InstallForm): readonly string[] {
  if (caSecret === undefined || form === "manifests" || form === "json") return [];
  const who = form === "helm" ? "the chart" : "velero install";
  return [
    `${who} cannot take the location's CA from the Secret ${caSecret.name}: save it and give it as --ca-cert FILE`,
  ];
}

/** A field that another tool has set stays when manifests without it are applied. */
function identityNotes({ store, volumes, expectsSecret, credentials }: InstallSettings): readonly string[] {
  if (expectsSecret || credentials !== undefined) return [];
  const named = [...new Set([store.secret, volumes?.secret].flatMap((secret) => secret?.name ?? []))];
  return named.map(
    (name) => `a location names the Secret ${name}, which is stronger than the pod's identity: remove spec.credential`,
  );
}

/** Keys that name a file in the pods, themselves or by an option of copies. */
function filesThatAreMissing({ store, volumes }: InstallSettings): readonly string[] {
  const entries = [...Object.entries(store.config), ...Object.entries(volumes?.config ?? {})];
  const names = entries.flatMap(([key, value]) => [
    ...(key.endsWith("File") ? [`${key} names`] : []),
    ...[...value.matchAll(/[?&](\w+File)=/g)].map(([, option = ""]) => `${key} names as ${option}`),
  ]);
  return [...new Set(names)];
}
