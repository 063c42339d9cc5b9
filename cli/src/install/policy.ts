import { stringify } from "yaml";

import { UsageError } from "../cli-error.ts";
import type { PermissionFacts } from "../plugin-facts/plugin-facts.ts";
import { awsPolicy } from "./aws-policy.ts";
import type { InstallSettings } from "./install-settings.ts";
import { neededPermissions, policyParts } from "./needed-permissions.ts";
import type { PolicyPart } from "./needed-permissions.ts";
import { shellWord } from "./shell-word.ts";

/** A least-privilege policy, in the form that the cloud's own tool reads. */
export interface Policy {
  readonly json: unknown;
  /** What is given to the cloud's tool as a file. */
  readonly text: string;
  /** How that is done, as lines of a shell. */
  readonly commands: readonly string[];
  /** What it leaves out, or is lost without one of the permissions. */
  readonly notes: readonly string[];
}

/** The policy of the locations, or of one of them. */
export function policyOf(settings: InstallSettings, part?: PolicyPart): Policy {
  const parts = part === undefined ? policyParts : [part];
  const permissions = neededPermissions(settings, parts);
  const notes = permissions.flatMap(({ name, without }) =>
    without === undefined ? [] : [`without ${name}, ${without}`],
  );
  switch (settings.cloud) {
    case "aws":
      return { ...jsonPolicy(awsPolicy(settings, permissions), awsCommands), notes };
    case "azure":
      return { ...jsonPolicy(azureRole(settings, permissions), azureCommands), notes };
    case "gcp":
      return { ...gcpRoles(settings, permissions), notes };
    case "restic":
      throw new UsageError(
        "--policy: restic reaches the repository's store by itself; give its identity there read, write, list and delete",
      );
    default:
      return settings.cloud satisfies never;
  }
}

const awsCommands = [
  "aws iam create-policy --policy-name velero --policy-document file://policy.json",
  "aws iam attach-role-policy --role-name ROLE --policy-arn ARN",
];
const azureCommands = [
  "az role definition create --role-definition @policy.json",
  "az role assignment create --role Velero --assignee CLIENT_ID --scope /subscriptions/SUBSCRIPTION",
];

function jsonPolicy(json: unknown, commands: readonly string[]): Omit<Policy, "notes"> {
  return { json, text: `${JSON.stringify(json, undefined, 2)}\n`, commands };
}

function azureRole({ store, volumes }: InstallSettings, permissions: readonly PermissionFacts[]): unknown {
  const named = (isData: boolean): readonly string[] =>
    permissions.filter(({ scope }) => (scope === "objects") === isData).map(({ name }) => name);
  const subscriptions = [store.config["subscriptionId"], volumes?.config["subscriptionId"]].filter(
    (id) => id !== undefined && id !== "",
  );
  const scopes = subscriptions.length === 0 ? ["SUBSCRIPTION"] : [...new Set(subscriptions)];
  return {
    Name: "Velero",
    IsCustom: true,
    Description: "What Velero's plugin asks of storage accounts, disks and snapshots",
    Actions: named(false),
    NotActions: [],
    DataActions: named(true),
    NotDataActions: [],
    AssignableScopes: scopes.map((id) => `/subscriptions/${id}`),
  };
}

/** One role a place where it is granted: on the bucket, in the project, on the account that signs. */
function gcpRoles({ store }: InstallSettings, permissions: readonly PermissionFacts[]): Omit<Policy, "notes"> {
  const copies = [...(store.config["copyTo"] ?? "").matchAll(/gs:\/\/([^/?\s,]+)/g)].map(([, bucket = ""]) => bucket);
  const buckets = [...new Set([store.bucket, ...copies])];
  const roles = gcpPlaces.flatMap(({ scopes, id, title, grant }) => {
    const included = permissions.filter(({ scope }) => scopes.includes(scope)).map(({ name }) => name);
    return included.length === 0
      ? []
      : [{ id, grant, role: { title, stage: "GA", includedPermissions: included.toSorted() } }];
  });
  const only = roles.length === 1 ? roles[0]?.role : undefined;
  return {
    json: only ?? Object.fromEntries(roles.map(({ id, role }) => [id, role])),
    text: roles.map(({ id, role }) => `# ${id}.yaml\n${stringify(role)}`).join("---\n"),
    commands: roles.flatMap(({ id, grant }) => [
      `gcloud iam roles create ${id} --project PROJECT --file ${id}.yaml`,
      ...(grant.includes("gs://BUCKET")
        ? buckets.map((bucket) => grant.replace("gs://BUCKET", () => shellWord(`gs://${bucket}`)))
        : [grant]
      ).map((command) => `${command} --member serviceAccount:ACCOUNT --role projects/PROJECT/roles/${id}`),
    ]),
  };
}

interface GcpPlace {
  readonly scopes: readonly string[];
  readonly id: string;
  readonly title: string;
  readonly grant: string;
}

const gcpPlaces: readonly GcpPlace[] = [
  {
    scopes: ["objects", "bucket"],
    id: "velero.objects",
    title: "Velero: objects of its bucket",
    grant: "gcloud storage buckets add-iam-policy-binding gs://BUCKET",
  },
  {
    scopes: ["volumes", "key"],
    id: "velero.volumes",
    title: "Velero: disks and snapshots",
    grant: "gcloud projects add-iam-policy-binding PROJECT",
  },
  {
    scopes: ["account"],
    id: "velero.signer",
    title: "Velero: signed URLs",
    grant: "gcloud iam service-accounts add-iam-policy-binding ACCOUNT",
  },
];
