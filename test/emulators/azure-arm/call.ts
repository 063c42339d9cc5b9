import { randomUUID } from "node:crypto";

import type { Principal } from "../azure-identity/tokens.ts";
import { ArmError, notAllowed } from "./arm-error.ts";
import type { Problem } from "./arm-error.ts";
import { JsonBody } from "./json-body.ts";
import type { Disk, Operation, Snapshot } from "./model.ts";
import type { Permissions } from "./permissions.ts";
import type { Regions } from "./regions.ts";
import { keyOf, providers } from "./resource-id.ts";
import type { ResourceId } from "./resource-id.ts";
import type { ArmState } from "./state.ts";

/**
 * Where an answer says how its operation goes on: in Azure-AsyncOperation and Location as Microsoft.Compute does, in
 * Location only, or nowhere but in the provisioningState of the resource; clients must know all three.
 */
export type OperationForm = "both" | "location" | "resource";

/** What the operations need to know of the stand-in's settings. */
export interface ArmSettings {
  /** How long an operation is in progress. */
  readonly pendingMs: number;
  /** How long the background copy of a snapshot takes. */
  readonly copyMs: number;
  readonly retryAfterSeconds: number;
  readonly pageSize: number;
  /** Whether ids in answers have their resource group in upper case, as Microsoft.Compute writes it at times. */
  readonly upperCaseGroups: boolean;
  /** The versions of the API that are known; undefined for all that are well-formed. */
  readonly apiVersions: readonly string[] | undefined;
  /** Where an answer says how its operation goes on. */
  form: OperationForm;
  /** How many disks and snapshots a subscription may have in a region. */
  quota: { readonly disks?: number; readonly snapshots?: number };
}

/** One authenticated and permitted request for a resource. */
export interface Call {
  readonly id: ResourceId;
  readonly rawBody: Buffer;
  readonly query: ReadonlyMap<string, string>;
  readonly state: ArmState;
  readonly settings: ArmSettings;
  readonly regions: Regions;
  readonly permissions: Permissions;
  readonly principal: Principal;
  readonly nowMs: number;
  /** Takes the failure that a test asked for, for the next write to, or from, one of these. */
  readonly takeFailure: (ids: readonly (string | undefined)[]) => Problem | undefined;
}

/** What a handler made of a request. */
export interface Outcome {
  readonly status: 200 | 202 | 204;
  readonly body?: Readonly<Record<string, unknown>>;
  /** What goes on after the answer. */
  readonly operation?: Operation;
}

/** Answers a request for a resource. */
export type Handler = (call: Call) => Outcome;

/** Reads the request's body. */
export function readBody(call: Call): JsonBody {
  return JsonBody.parse(call.rawBody);
}

/** Returns the disk or snapshot that is asked for. */
export function findAsked<T extends Disk | Snapshot>(call: Call, all: ReadonlyMap<string, T>): T {
  const found = all.get(keyOf(call.id));
  if (found === undefined) throw notFound(call.id);
  call.regions.check(found.location);
  return found;
}

/** The error of a resource that does not exist. */
export function notFound({ kind, name, resourceGroup }: ResourceId): ArmError {
  return new ArmError(
    404,
    "ResourceNotFound",
    `The Resource '${providers[kind]}/${kind}/${name}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** Refuses a write to what another operation is still at work on. */
export function checkIdle(call: Call, one: Disk | Snapshot): void {
  if (one.goneMs !== undefined) throw notAllowed(`The resource '${one.id.name}' is being deleted.`);
  if (call.nowMs >= one.readyMs) return;
  throw new ArmError(409, "Conflict", `Another operation is in progress on the resource '${one.id.name}'.`);
}

/** Begins an operation on a resource and keeps it for those who ask how far it is. */
export function begin(
  call: Call,
  location: string,
  verb: Operation["verb"],
  more: Pick<Operation, "failure" | "output"> = {},
): Operation {
  const operation: Operation = {
    name: randomUUID(),
    subscriptionId: call.id.subscriptionId,
    location,
    resource: call.id,
    verb,
    startedMs: call.nowMs,
    readyMs: call.nowMs + call.settings.pendingMs,
    ...more,
  };
  call.state.operations.set(operation.name, operation);
  return operation;
}

/** Refuses what goes beyond the quota of a region. */
export function checkQuota(call: Call, location: string, kind: "disks" | "snapshots"): void {
  const limit = call.settings.quota[kind];
  if (limit === undefined) return;
  const subscription = call.id.subscriptionId.toLowerCase();
  const all: Iterable<Disk | Snapshot> = call.state[kind].values();
  const used = [...all].filter(
    (one) => one.location === location && one.id.subscriptionId.toLowerCase() === subscription,
  ).length;
  if (used < limit) return;
  throw new ArmError(
    409,
    "QuotaExceeded",
    `Operation could not be completed as it results in exceeding approved ${kind} quota. Location: ${location}, Current Limit: ${limit}, Current Usage: ${used}, Additional Required: 1.`,
  );
}
