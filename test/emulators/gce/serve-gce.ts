import { InjectedError } from "../fault-body.ts";
import type { Faults, RequestFacts } from "../faults.ts";
import type { GoogleTokens } from "../google-identity/tokens.ts";
import type { RequestLog } from "../request-log.ts";
import type { WholeAnswer, WholeRequest, WholeService } from "../whole-request.ts";
import { authenticate } from "./authenticate.ts";
import { jsonAnswer } from "./call.ts";
import type { Call, GceSettings, PlannedFailure } from "./call.ts";
import { GceError, invalidField, notFound, writeGceError } from "./gce-error.ts";
import { writeOperation } from "./operations.ts";
import type { GcePermissions } from "./permissions.ts";
import type { GceRegions } from "./regions.ts";
import { findRoute } from "./route.ts";
import type { Route } from "./route.ts";
import type { GceState } from "./state.ts";

/** What a running stand-in consists of. */
export interface GceService {
  readonly state: GceState;
  readonly tokens: GoogleTokens;
  readonly projects: ReadonlySet<string>;
  readonly regions: GceRegions;
  readonly permissions: GcePermissions;
  readonly settings: GceSettings;
  readonly kmsKeys: Set<string>;
  /** Failures that a test asked for, by the path of what is written, or of what it is made of. */
  readonly failures: Map<string, PlannedFailure>;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => Date;
}

/** The API of Compute Engine. */
export function gceService(service: GceService): WholeService {
  return {
    faults: service.faults,
    log: service.log,
    describe,
    answer: (request) => answer(service, request),
    refuse: (error) => {
      if (error instanceof InjectedError) {
        const { status, code, message, headers } = error;
        return jsonAnswer(status, writeGceError(status, code, message), headers);
      }
      const { status, reason, message, headers } =
        error instanceof GceError ? error : new GceError(500, "internalError", `Internal error: ${String(error)}`);
      return jsonAnswer(status, writeGceError(status, reason, message), headers);
    },
  };
}

function describe(request: WholeRequest): RequestFacts {
  const { method, headers } = request;
  const path = decode(request.rawPath);
  const { operation } = findRoute(method, path);
  return { service: "gce", method, operation, key: path, query: new Map(request.query), headers };
}

async function answer(service: GceService, request: WholeRequest): Promise<WholeAnswer> {
  const path = decode(request.rawPath);
  const query = new Map(request.query);
  const member = authenticate(request.method, request.headers, service.tokens);
  const route = findRoute(request.method, path);
  const { handler } = route;
  if (handler === undefined) {
    throw new GceError(404, "notFound", `The requested URL ${request.method} ${path} was not found on this server.`);
  }
  if (!service.projects.has(route.project)) throw notFound(`projects/${route.project}`);
  service.regions.check(route.place);
  const nowMs = service.now().getTime();
  service.state.sweep(nowMs);
  const before = findEarlier(service, route, query);
  if (before !== undefined) return jsonAnswer(200, before);
  const result = await handler(openCall(service, route, request, { query, member, nowMs }));
  if ("json" in result) return jsonAnswer(200, result.json);
  service.state.save();
  return jsonAnswer(200, writeOperation(result, service.now().getTime()));
}

/** A write that is repeated with the same request id is not done again. */
function findEarlier(
  service: GceService,
  route: Route,
  query: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> | undefined {
  const id = query.get("requestId");
  if (id === undefined) return undefined;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || /^[0-]+$/.test(id)) {
    throw invalidField("requestId", id, "Must be a UUID that is not zero.");
  }
  const name = service.state.requests.get(`${route.project}/${id}`);
  const operation = name === undefined ? undefined : service.state.operations.get(name);
  return operation === undefined ? undefined : writeOperation(operation, service.now().getTime());
}

function openCall(
  service: GceService,
  route: Route,
  request: WholeRequest,
  more: Pick<Call, "query" | "member" | "nowMs">,
): Call {
  const { state, regions, settings, kmsKeys, permissions, failures } = service;
  return {
    project: route.project,
    place: route.place,
    name: route.name,
    rawBody: request.body,
    state,
    regions,
    settings,
    kmsKeys,
    ...more,
    clock: () => service.now().getTime(),
    permit: (permission, path) => permissions.check(more.member, permission, path),
    takeFailure: (paths) => {
      const key = paths.find((path) => path !== undefined && failures.has(path));
      const failure = key === undefined ? undefined : failures.get(key);
      if (key !== undefined) failures.delete(key);
      return failure;
    },
  };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
