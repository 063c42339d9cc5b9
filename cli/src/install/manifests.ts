import { clusterYaml } from "./cluster-yaml.ts";
import { cronJobs } from "./cron-jobs.ts";
import { helmValues } from "./helm-values.ts";
import { secretKey, secretName } from "./install-settings.ts";
import type { InstallSettings } from "./install-settings.ts";
import { backupStorageLocation, secret, serverPatch, volumeSnapshotLocation } from "./kubernetes-objects.ts";
import type { KubernetesObject } from "./kubernetes-objects.ts";
import type { Policy } from "./policy.ts";
import { usesOwnSecret } from "./secrets.ts";

/** Everything that an installed server is given, in the order in which it is applied. */
export function manifestObjects(settings: InstallSettings): readonly KubernetesObject[] {
  return [
    ...secret(settings),
    ...serverPatch(settings),
    backupStorageLocation(settings),
    ...volumeSnapshotLocation(settings),
    ...cronJobs(settings),
  ];
}

/** The same as one YAML stream, with what to do about it, and the policy, as comments. */
export function manifestStream(settings: InstallSettings, policy: Policy | undefined): string {
  const documents = manifestObjects(settings).map(clusterYaml);
  return [comment(headerOf(settings)), documents.join("---\n"), policy === undefined ? "" : policyComment(policy)].join(
    "",
  );
}

function headerOf(settings: InstallSettings): readonly string[] {
  const { namespace } = settings;
  return [
    "For a server that is installed; flotilla install -o velero has the line that installs one.",
    "Remove the init container that brings the plugin now, the official one or one of velero's own line, first: the",
    "server does not start with two plugins of one name, and of two images of one plugin the last one wins.",
    `  velero plugin remove IMAGE --namespace ${namespace}`,
    "Then, because Deployment and ServiceAccount are only the parts to be set:",
    "  kubectl apply --server-side --force-conflicts -f THIS_FILE",
    ...missingSecret(settings),
  ];
}

/** The chart's values as YAML, with what to do about them as comments. */
export function valuesText(settings: InstallSettings): string {
  const { namespace } = settings;
  const header = [
    "Values for the chart vmware-tanzu/velero; the CronJobs in them are for this namespace:",
    `  helm upgrade --install velero vmware-tanzu/velero --namespace ${namespace} --create-namespace --values THIS_FILE`,
    ...missingSecret(settings),
  ];
  return `${comment(header)}${clusterYaml(helmValues(settings))}`;
}

function missingSecret(settings: InstallSettings): readonly string[] {
  if (!usesOwnSecret(settings) || settings.credentials !== undefined) return [];
  return [
    "The credentials were not given; this makes the Secret that is looked for, before all else:",
    `  kubectl create secret generic ${secretName} --namespace ${settings.namespace} --from-file ${secretKey}=CREDENTIALS_FILE`,
  ];
}

function policyComment({ text, commands, notes }: Policy): string {
  const lines = ["What the identity must be allowed, for:", ...commands.map((command) => `  ${command}`), ...notes];
  return `---\n${comment([...lines, "", ...text.trimEnd().split("\n")])}`;
}

function comment(lines: readonly string[]): string {
  return lines
    .map((line) => `# ${line}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
