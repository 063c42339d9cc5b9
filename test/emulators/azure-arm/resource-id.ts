/** The kinds of resources that the stand-in keeps. */
export type Kind = "disks" | "snapshots" | "diskEncryptionSets" | "storageAccounts";

/** A place in ARM's tree. Its names are as they were written; they are compared without regard to case. */
export interface ResourceId {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly kind: Kind;
  readonly name: string;
}

/** The resource provider of each kind. */
export const providers: Readonly<Record<Kind, string>> = {
  disks: "Microsoft.Compute",
  snapshots: "Microsoft.Compute",
  diskEncryptionSets: "Microsoft.Compute",
  storageAccounts: "Microsoft.Storage",
};

// In lower case, as ids are compared.
const kinds: Readonly<Record<string, Kind>> = {
  "microsoft.compute/disks": "disks",
  "microsoft.compute/snapshots": "snapshots",
  "microsoft.compute/diskencryptionsets": "diskEncryptionSets",
  "microsoft.storage/storageaccounts": "storageAccounts",
};

const form = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+\/[^/]+)\/([^/]+)\/?$/i;

/** Finds the kind of a type such as `Microsoft.Compute/disks`. */
export function kindOf(type: string): Kind | undefined {
  return kinds[type.toLowerCase()];
}

/** Reads an id; undefined for what is none, or none of the kinds that are kept. */
export function parseId(id: string): ResourceId | undefined {
  const [, subscriptionId, resourceGroup, type, name] = form.exec(id) ?? [];
  if (subscriptionId === undefined || resourceGroup === undefined || type === undefined || name === undefined) {
    return undefined;
  }
  const kind = kindOf(type);
  return kind === undefined ? undefined : { subscriptionId, resourceGroup, kind, name };
}

/** Writes an id. */
export function formatId({ subscriptionId, resourceGroup, kind, name }: ResourceId): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${providers[kind]}/${kind}/${name}`;
}

/** Returns what stands for a resource in maps. */
export function keyOf(id: ResourceId): string {
  return formatId(id).toLowerCase();
}
