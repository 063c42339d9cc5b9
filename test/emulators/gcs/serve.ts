import type { IncomingMessage, ServerResponse } from "node:http";

import { meetFaults, readWithFaults } from "../fault-body.ts";
import { ConnectionGone } from "../faults.ts";
import type { Fault, Faults, RequestFacts } from "../faults.ts";
import type { GoogleTokens } from "../google-identity/tokens.ts";
import { headersOf, splitTarget } from "../http-listener.ts";
import type { LoggedRequest, RequestLog } from "../request-log.ts";
import { authenticate } from "./authenticate.ts";
import { testPermissions } from "./buckets.ts";
import type { Answer, Call, GcsSettings } from "./call.ts";
import { selectFields } from "./fields.ts";
import { GcsError, invalid } from "./gcs-error.ts";
import { operations } from "./operations.ts";
import type { GcsOutages } from "./outages.ts";
import type { GcsPermissions } from "./permissions.ts";
import { findRoute } from "./route.ts";
import type { Route } from "./route.ts";
import { sendAnswer, sendError } from "./send.ts";
import type { GcsState } from "./state.ts";

/** What serves the requests of one stand-in. */
export interface GcsService {
  readonly state: GcsState;
  readonly tokens: GoogleTokens;
  readonly permissions: GcsPermissions;
  readonly settings: GcsSettings;
  readonly faults: Faults;
  readonly outages: GcsOutages;
  readonly log: RequestLog;
  readonly isSecure: boolean;
  readonly now: () => Date;
}

interface Opening {
  readonly request: IncomingMessage;
  readonly target: ReturnType<typeof splitTarget>;
  readonly route: Route;
  readonly facts: RequestFacts;
  readonly met: readonly Fault[];
  readonly askForBody: () => void;
}

/** Answers one request. */
export async function serve(
  service: GcsService,
  request: IncomingMessage,
  response: ServerResponse,
  askForBody: () => void,
): Promise<void> {
  let met: readonly Fault[] = [];
  let entry: LoggedRequest | undefined;
  let exchange = { request, response, faults: service.faults, isXml: false, isMedia: false };
  response.once("close", () => {
    if (entry !== undefined && response.headersSent) entry.status = response.statusCode;
  });
  try {
    const target = readTarget(request.url ?? "/");
    const query = new Map(target.query);
    const method = request.method ?? "GET";
    const route = findRoute(method, target.rawPath, query);
    exchange = { ...exchange, isXml: route.isXml, isMedia: route.operation === "ReadObject" };
    const facts = describe(method, route, query, headersOf(request));
    entry = service.log.add(facts);
    met = service.faults.take(facts);
    await meetFaults(met);
    await service.outages.meet(route.bucket, route.destination?.bucket, request.socket);
    const answer = await handle(service, { request, target, route, facts, met, askForBody });
    await sendAnswer(exchange, answer, met);
  } catch (error) {
    if (error instanceof ConnectionGone) return;
    await sendError(exchange, error, met);
  }
}

async function handle(service: GcsService, opening: Opening): Promise<Answer> {
  const { route, facts } = opening;
  const operation = operations[route.operation];
  const isTest = route.operation === "TestPermissions";
  const now = service.now();
  const permissions = operation?.permissions ?? [];
  const member = findMember(service, opening, permissions[0] ?? "storage.objects.get", now);
  const call = openCall(service, opening, member, now);
  requirePayer(call);
  if (isTest) {
    return testPermissions(
      call,
      opening.target.query.filter(([name]) => name === "permissions").map(([, value]) => value),
    );
  }
  if (operation === undefined) {
    const status = route.isXml ? 501 : 404;
    throw new GcsError(status, "notFound", `Not known to this stand-in: ${facts.method} ${opening.target.rawPath}`);
  }
  for (const permission of permissions) call.permit(permission, route.bucket);
  const answer = await operation.handle(call);
  const { json } = answer;
  return json === undefined ? answer : { ...answer, json: selectFields(json, facts.query.get("fields")) };
}

/** https://cloud.google.com/storage/docs/requester-pays: the project is named by a parameter or by a header. */
function requirePayer({ state, bucketName, query, headers }: Call): void {
  const isPaidByRequester = state.hasBucket(bucketName) && state.bucket(bucketName).config.isRequesterPays === true;
  if (!isPaidByRequester || query.has("userProject") || headers.has("x-goog-user-project")) return;
  throw new GcsError(400, "required", "Bucket is a requester pays bucket but no user project provided.", {
    xmlCode: "UserProjectMissing",
  });
}

/** A session's address is enough to go on with it; whoever began it counts. */
function findMember(service: GcsService, opening: Opening, permission: string, now: Date): string {
  const { route, facts, target } = opening;
  if (route.operation === "ContinueUpload" || route.operation === "CancelUpload") {
    return service.state.sessions.find(facts.query.get("upload_id") ?? "")?.record.member ?? "";
  }
  const { method, headers } = facts;
  return authenticate({ method, ...target, headers, isXml: route.isXml, permission }, service.tokens, now);
}

function openCall(service: GcsService, opening: Opening, member: string, now: Date): Call {
  const { request, route, facts, met } = opening;
  let isBodyAskedFor = false;
  return {
    operation: route.operation,
    method: facts.method,
    bucketName: route.bucket,
    objectName: route.object,
    destination: route.destination,
    isXml: route.isXml,
    query: facts.query,
    headers: facts.headers,
    state: service.state,
    settings: service.settings,
    member,
    now,
    origin: `${service.isSecure ? "https" : "http"}://${facts.headers.get("host") ?? ""}`,
    met,
    request,
    openBody: () => {
      if (!isBodyAskedFor) opening.askForBody();
      isBodyAskedFor = true;
      return readWithFaults(request, met, service.faults);
    },
    permit: (permission, bucket) => service.permissions.check(member, permission, bucket),
  };
}

function describe(
  method: string,
  route: Route,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): RequestFacts {
  const key = route.object === "" ? query.get("name") : route.object;
  const bucket = route.bucket === "" ? undefined : route.bucket;
  return { service: "gcs", method, operation: route.operation, bucket, key, query, headers };
}

function readTarget(target: string): ReturnType<typeof splitTarget> {
  try {
    return splitTarget(target);
  } catch {
    throw invalid("The request target is malformed.");
  }
}
