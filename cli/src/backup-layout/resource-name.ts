/** How the cluster names a kind of resources. */
export interface ResourceName {
  /** Plural and group: `deployments.apps`; the core group has none: `pods`. */
  readonly plural: string;
  readonly version: string;
  readonly isClusterScoped: boolean;
}

// There is no cluster to ask. These are its own cluster-scoped kinds and those of snapshots; others are namespaced.
const clusterScoped = new Set([
  "APIService",
  "CSIDriver",
  "CSINode",
  "CertificateSigningRequest",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "FlowSchema",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
  "VolumeSnapshotClass",
  "VolumeSnapshotContent",
]);

// The kinds whose plural is not made by the rule below.
const irregular = new Map([["Endpoints", "endpoints"]]);

/** The name under which the cluster serves a kind. */
export function resourceName(apiVersion: string, kind: string): ResourceName {
  const [first = "", second] = apiVersion.split("/");
  const group = second === undefined ? "" : first;
  const plural = irregular.get(kind) ?? pluralOf(kind.toLowerCase());
  return {
    plural: group === "" ? plural : `${plural}.${group}`,
    version: second ?? first,
    isClusterScoped: clusterScoped.has(kind),
  };
}

function pluralOf(singular: string): string {
  if (/(s|x|z|ch|sh)$/.test(singular)) return `${singular}es`;
  if (/[^aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}
