import { grantDisk, grantSnapshot, revokeDisk, revokeSnapshot } from "./access.ts";
import type { Handler } from "./call.ts";
import { getDisk, patchDisk, putDisk } from "./disks.ts";
import { getEncryptionSet } from "./encryption-sets.ts";
import { deleteDisk, deleteSnapshot } from "./removal.ts";
import { kindOf, parseId } from "./resource-id.ts";
import type { Kind, ResourceId } from "./resource-id.ts";
import { getSnapshot, patchSnapshot, putSnapshot } from "./snapshots.ts";
import { getStorageAccount, listStorageKeys } from "./storage-accounts.ts";

/** What a request asks for. */
export type Route =
  | {
      readonly kind: "resource";
      readonly operation: string;
      readonly permission: string;
      readonly id: ResourceId;
      readonly handler: Handler;
    }
  | {
      readonly kind: "list";
      readonly operation: string;
      readonly permission: string;
      readonly of: "disks" | "snapshots";
      readonly subscriptionId: string;
      readonly resourceGroup?: string;
    }
  | {
      readonly kind: "poll";
      readonly operation: string;
      readonly subscriptionId: string;
      readonly location: string;
      readonly name: string;
      readonly isMonitor: boolean;
    }
  | {
      readonly kind: "skus";
      readonly operation: string;
      readonly permission: string;
      readonly subscriptionId: string;
    }
  | { readonly kind: "unknown"; readonly operation: "Unknown" };

type Verb = readonly [operation: string, permission: string, handler: Handler];

const verbs: Readonly<Partial<Record<Kind, Readonly<Record<string, Verb>>>>> = {
  disks: {
    get: ["Disks_Get", "read", getDisk],
    put: ["Disks_CreateOrUpdate", "write", putDisk],
    patch: ["Disks_Update", "write", patchDisk],
    delete: ["Disks_Delete", "delete", deleteDisk],
    "post begingetaccess": ["Disks_GrantAccess", "beginGetAccess/action", grantDisk],
    "post endgetaccess": ["Disks_RevokeAccess", "endGetAccess/action", revokeDisk],
  },
  snapshots: {
    get: ["Snapshots_Get", "read", getSnapshot],
    put: ["Snapshots_CreateOrUpdate", "write", putSnapshot],
    patch: ["Snapshots_Update", "write", patchSnapshot],
    delete: ["Snapshots_Delete", "delete", deleteSnapshot],
    "post begingetaccess": ["Snapshots_GrantAccess", "beginGetAccess/action", grantSnapshot],
    "post endgetaccess": ["Snapshots_RevokeAccess", "endGetAccess/action", revokeSnapshot],
  },
  diskEncryptionSets: {
    get: ["DiskEncryptionSets_Get", "read", getEncryptionSet],
  },
  storageAccounts: {
    get: ["StorageAccounts_GetProperties", "read", getStorageAccount],
    "post listkeys": ["StorageAccounts_ListKeys", "listKeys/action", listStorageKeys],
  },
};
const listForm = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?\/providers\/(Microsoft\.Compute\/[^/]+)\/?$/i;
const skusForm = /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.Compute\/skus\/?$/i;
const pollForm =
  /^\/subscriptions\/([^/]+)\/providers\/Microsoft\.Compute\/locations\/([^/]+)\/DiskOperations\/([^/]+)$/i;
const unknown: Route = { kind: "unknown", operation: "Unknown" };

/** Finds out what a request asks for. */
export function findRoute(method: string, path: string, query: ReadonlyMap<string, string>): Route {
  return (
    findPoll(method, path, query) ??
    findSkus(method, path) ??
    findList(method, path) ??
    findResource(method, path) ??
    unknown
  );
}

function findSkus(method: string, path: string): Route | undefined {
  const [, subscriptionId] = skusForm.exec(path) ?? [];
  if (method !== "GET" || subscriptionId === undefined) return undefined;
  return { kind: "skus", operation: "ResourceSkus_List", permission: "Microsoft.Compute/skus/read", subscriptionId };
}

function findPoll(method: string, path: string, query: ReadonlyMap<string, string>): Route | undefined {
  const [, subscriptionId, location, name] = pollForm.exec(path) ?? [];
  if (method !== "GET" || subscriptionId === undefined || location === undefined || name === undefined)
    return undefined;
  const isMonitor = query.get("monitor") === "true";
  const operation = isMonitor ? "DiskOperations_Monitor" : "DiskOperations_Get";
  return { kind: "poll", operation, subscriptionId, location, name, isMonitor };
}

function findList(method: string, path: string): Route | undefined {
  const [, subscriptionId, resourceGroup, type = ""] = listForm.exec(path) ?? [];
  const of = kindOf(type);
  if (method !== "GET" || subscriptionId === undefined || (of !== "disks" && of !== "snapshots")) return undefined;
  const operation = `${of === "disks" ? "Disks" : "Snapshots"}_List${resourceGroup === undefined ? "" : "ByResourceGroup"}`;
  const permission = `Microsoft.Compute/${of}/read`;
  return { kind: "list", operation, permission, of, subscriptionId, ...(resourceGroup && { resourceGroup }) };
}

function findResource(method: string, path: string): Route | undefined {
  const [, plain = path, action] = /^(.*)\/(beginGetAccess|endGetAccess|listKeys)$/i.exec(path) ?? [];
  const id = parseId(plain);
  const wanted = action === undefined ? method.toLowerCase() : `${method} ${action}`.toLowerCase();
  const verb = id && verbs[id.kind]?.[wanted];
  if (id === undefined || verb === undefined) return undefined;
  const [operation, permission, handler] = verb;
  const provider = id.kind === "storageAccounts" ? "Microsoft.Storage" : "Microsoft.Compute";
  return { kind: "resource", operation, permission: `${provider}/${id.kind}/${permission}`, id, handler };
}
