import { randomUUID } from "node:crypto";

import type { TokenAuthority } from "../azure-identity/tokens.ts";
import { InjectedError } from "../fault-body.ts";
import type { Faults, RequestFacts } from "../faults.ts";
import type { RequestLog } from "../request-log.ts";
import type { WholeAnswer, WholeRequest, WholeService } from "../whole-request.ts";
import { ArmError } from "./arm-error.ts";
import type { Problem } from "./arm-error.ts";
import { authenticate, checkTenant } from "./authenticate.ts";
import type { ArmSettings, Call, Outcome } from "./call.ts";
import { listPage } from "./list.ts";
import type { Operation } from "./model.ts";
import { writeResult, writeStatus } from "./operation-status.ts";
import type { Permissions } from "./permissions.ts";
import type { Regions } from "./regions.ts";
import { formatId } from "./resource-id.ts";
import { listSkus } from "./resource-skus.ts";
import { findRoute } from "./route.ts";
import type { Route } from "./route.ts";
import type { ArmState, Subscription } from "./state.ts";

/** What a running stand-in consists of. */
export interface ArmService {
  readonly state: ArmState;
  readonly tokens: TokenAuthority;
  readonly regions: Regions;
  readonly permissions: Permissions;
  readonly settings: ArmSettings;
  /** Failures that a test asked for, by the id in lower case of what is written, or of what it is made of. */
  readonly failures: Map<string, Problem>;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => Date;
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const skuVersions = ["2017-03-30", "2017-09-01", "2019-04-01", "2021-07-01"];
const versionForm = /^\d{4}-\d\d-\d\d(?:-preview)?$/;

/** The API of ARM. */
export function armService(service: ArmService): WholeService {
  return {
    faults: service.faults,
    log: service.log,
    describe,
    answer: (request) => {
      const { body, ...rest } = answer(service, request);
      return { ...rest, body: service.settings.upperCaseGroups ? upperCaseGroups(body) : body };
    },
    refuse: (error) => {
      const known = toArmError(error);
      return json(known.status, { error: { code: known.code, message: known.message } }, known.headers);
    },
  };
}

function upperCaseGroups(body: string): string {
  const ids = /("id":"\/subscriptions\/[^/"]+\/resourceGroups\/)([^/"]+)/g;
  return body.replaceAll(ids, (_whole, before: string, name: string) => before + name.toUpperCase());
}

function describe(request: WholeRequest): RequestFacts {
  const { method, headers, path } = request;
  const query = new Map(request.query);
  const { operation } = findRoute(method, path, query);
  return { service: "azure-arm", method, operation, key: path, query, headers };
}

function answer(service: ArmService, request: WholeRequest): WholeAnswer {
  const query = new Map(request.query);
  const { path } = request;
  const principal = authenticate(request.headers, service.tokens);
  const route = findRoute(request.method, path, query);
  // The skus have versions of their own, all of them older.
  checkVersion(query.get("api-version"), route.kind === "skus" ? skuVersions : service.settings.apiVersions);
  if (route.kind === "unknown") {
    throw new ArmError(
      404,
      "InvalidResourceType",
      `The resource type could not be found for ${request.method} ${path}.`,
    );
  }
  const subscriptionId = route.kind === "resource" ? route.id.subscriptionId : route.subscriptionId;
  const subscription = findSubscription(service, subscriptionId);
  checkTenant(principal, subscription);
  const nowMs = service.now().getTime();
  service.state.sweep(nowMs);
  const origin = `https://${request.headers.get("host") ?? "localhost"}`;
  if (route.kind === "poll") return poll(service, route, request, origin, nowMs);
  if (route.kind === "skus") {
    service.permissions.check(principal, route.permission, `/subscriptions/${route.subscriptionId}`);
    return json(200, listSkus(service.regions, query.get("$filter")));
  }
  if (route.kind === "list") {
    service.permissions.check(principal, route.permission, scopeOf(route));
    findGroup(subscription, route.resourceGroup);
    return json(200, listPage(service, route, `${origin}${request.rawPath}`, query, nowMs));
  }
  service.permissions.check(principal, route.permission, formatId(route.id));
  findGroup(subscription, route.id.resourceGroup);
  const outcome = route.handler({ ...pick(service), id: route.id, rawBody: request.body, query, principal, nowMs });
  // Whatever changes something begins an operation.
  if (outcome.operation !== undefined) service.state.save();
  return writeOutcome(service, outcome, origin, query);
}

function pick(service: ArmService): Pick<Call, "state" | "settings" | "regions" | "permissions" | "takeFailure"> {
  const { state, settings, regions, permissions, failures } = service;
  return {
    state,
    settings,
    regions,
    permissions,
    takeFailure: (ids) => {
      const key = ids.map((id) => id?.toLowerCase()).find((id) => id !== undefined && failures.has(id));
      const failure = key === undefined ? undefined : failures.get(key);
      if (key !== undefined) failures.delete(key);
      return failure;
    },
  };
}

function checkVersion(version: string | undefined, known: readonly string[] | undefined): void {
  if (version === undefined || version === "") {
    throw new ArmError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  }
  if (!versionForm.test(version)) {
    throw new ArmError(400, "InvalidApiVersionParameter", `The api-version '${version}' is invalid.`);
  }
  if (known === undefined || known.includes(version)) return;
  throw new ArmError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for API version '${version}'. The supported api-versions are '${known.join(", ")}'.`,
  );
}

function findSubscription(service: ArmService, id: string): Subscription {
  if (!guid.test(id)) {
    throw new ArmError(
      400,
      "InvalidSubscriptionId",
      `The provided subscription identifier '${id}' is malformed or invalid.`,
    );
  }
  const found = service.state.subscriptions.get(id.toLowerCase());
  if (found !== undefined) return found;
  throw new ArmError(404, "SubscriptionNotFound", `The subscription '${id}' could not be found.`);
}

function findGroup(subscription: Subscription, name: string | undefined): void {
  if (name === undefined || subscription.groups.has(name.toLowerCase())) return;
  throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
}

function scopeOf({ subscriptionId, resourceGroup }: Extract<Route, { kind: "list" }>): string {
  const group = resourceGroup === undefined ? "" : `/resourceGroups/${resourceGroup}`;
  return `/subscriptions/${subscriptionId}${group}`;
}

function poll(
  service: ArmService,
  route: Extract<Route, { kind: "poll" }>,
  request: WholeRequest,
  origin: string,
  nowMs: number,
): WholeAnswer {
  service.regions.check(route.location.toLowerCase());
  const operation = service.state.operations.get(route.name);
  if (operation?.subscriptionId.toLowerCase() !== route.subscriptionId.toLowerCase()) {
    throw new ArmError(404, "NotFound", `The entity was not found: operation ${route.name}.`);
  }
  const wait = { "retry-after": String(service.settings.retryAfterSeconds) };
  if (!route.isMonitor) {
    const body = writeStatus(operation, service.state, nowMs);
    return json(200, body, body["status"] === "InProgress" ? wait : {});
  }
  const result = writeResult(operation, service.state, nowMs);
  if (result !== undefined) return json(200, result);
  const query = new URLSearchParams(request.query.map(([name, value]) => [name, value])).toString();
  return { status: 202, headers: { ...common(), ...wait, location: `${origin}${request.rawPath}?${query}` }, body: "" };
}

function writeOutcome(
  service: ArmService,
  outcome: Outcome,
  origin: string,
  query: ReadonlyMap<string, string>,
): WholeAnswer {
  const { status, body, operation } = outcome;
  const headers =
    operation === undefined ? {} : pollHeaders(service, operation, origin, query.get("api-version") ?? "");
  return body === undefined ? { status, headers: { ...common(), ...headers }, body: "" } : json(status, body, headers);
}

function pollHeaders(
  service: ArmService,
  { subscriptionId, location, name }: Operation,
  origin: string,
  version: string,
): Readonly<Record<string, string>> {
  const { form, retryAfterSeconds } = service.settings;
  if (form === "resource") return {};
  const path = `/subscriptions/${subscriptionId}/providers/Microsoft.Compute/locations/${location}/DiskOperations/${name}`;
  return {
    ...(form === "both" ? { "azure-asyncoperation": `${origin}${path}?api-version=${version}` } : {}),
    location: `${origin}${path}?monitor=true&api-version=${version}`,
    "retry-after": String(retryAfterSeconds),
  };
}

function toArmError(error: unknown): ArmError | InjectedError {
  if (error instanceof ArmError || error instanceof InjectedError) return error;
  return new ArmError(500, "InternalServerError", `An unexpected error occurred: ${String(error)}`);
}

function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): WholeAnswer {
  const type = { "content-type": "application/json; charset=utf-8" };
  return { status, headers: { ...common(), ...type, ...headers }, body: JSON.stringify(body) };
}

function common(): Readonly<Record<string, string>> {
  return { "cache-control": "no-cache", "x-ms-request-id": randomUUID(), "x-ms-correlation-request-id": randomUUID() };
}
