import { stringify } from "yaml";

import type { Report } from "../context.ts";
import { helmValues } from "./helm-values.ts";
import { copySecretName } from "./cron-jobs.ts";
import { secretKey } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { manifestObjects, manifestStream } from "./manifests.ts";
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
      return stringify(helmValues(settings), { lineWidth: 0, aliasDuplicateObjects: false });
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
  const hasPlaceholder = /YOUR-REGISTRY|:TAG$/.test(settings.image);
  return [
    ...(form === "velero" ? veleroCommand(settings).notes : []),
    ...(hasPlaceholder ? ["say where the images are with --registry and --tag, or --image and --cli-image"] : []),
    ...(settings.credentials !== undefined && form !== "velero"
      ? [`the output holds the credentials of ${settings.credentials.path}: keep it out of version control`]
      : []),
    ...(settings.copyTo !== undefined && form !== "velero"
      ? [`the CronJob that copies wants the target's credentials in the Secret ${copySecretName}, key ${secretKey}`]
      : []),
  ];
}
