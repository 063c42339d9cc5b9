import type { InstallSettings } from "./install-settings.ts";

/** What ties the server's service account to an identity of the cloud. */
export interface WorkloadIdentity {
  /** Of the service account. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Of each pod that uses it. */
  readonly podLabels: Readonly<Record<string, string>>;
}

/** The marks by which each cloud knows a pod's identity; none without one. */
export function workloadIdentity({ cloud, identity }: InstallSettings): WorkloadIdentity {
  if (identity === undefined) return { annotations: {}, podLabels: {} };
  switch (cloud) {
    case "aws":
      return { annotations: { "eks.amazonaws.com/role-arn": identity }, podLabels: {} };
    case "azure":
      return {
        annotations: { "azure.workload.identity/client-id": identity },
        podLabels: { "azure.workload.identity/use": "true" },
      };
    case "gcp":
      return { annotations: { "iam.gke.io/gcp-service-account": identity }, podLabels: {} };
    case "restic":
      return { annotations: {}, podLabels: {} };
    default:
      return cloud satisfies never;
  }
}

/** Whether the credentials are in a Secret. */
export function usesSecret({ expectsSecret, credentials }: InstallSettings): boolean {
  return expectsSecret || credentials !== undefined;
}
