import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";

import type { TokenAuthority } from "../azure-identity/tokens.ts";
import { meetFaults, readWithFaults } from "../fault-body.ts";
import { ConnectionGone } from "../faults.ts";
import type { Fault, Faults, RequestFacts } from "../faults.ts";
import { headersOf, splitTarget } from "../http-listener.ts";
import type { LoggedRequest, RequestLog } from "../request-log.ts";
import { authorizeSource } from "./authorize-source.ts";
import { authenticate } from "./authenticate.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { Answer, Authorization, Call } from "./call.ts";
import { isPermitted, operations } from "./operations.ts";
import type { Operation } from "./operations.ts";
import type { Outages } from "./outages.ts";
import { readAddress, routeOperation } from "./route.ts";
import type { Address } from "./route.ts";
import { sendAnswer, sendError } from "./send.ts";
import type { Exchange } from "./send.ts";
import { roleOf } from "./state.ts";
import type { BlobState, StorageAccount } from "./state.ts";

/** What serves the requests of one stand-in. */
export interface BlobService {
  readonly state: BlobState;
  readonly tokens: TokenAuthority | undefined;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly log: RequestLog;
  readonly now: () => Date;
  /** The newest version of the API that is known. */
  readonly newestVersion: string;
}

/** The newest version of the reference that this was written from. */
export const newestVersion = "2026-10-06";
const defaultVersion = "2009-09-19";

/** Answers one request. */
export async function serve(
  service: BlobService,
  request: IncomingMessage,
  response: ServerResponse,
  askForBody: () => void,
): Promise<void> {
  const exchange: Exchange = { request, response, faults: service.faults, requestId: randomUUID() };
  let met: readonly Fault[] = [];
  let entry: LoggedRequest | undefined;
  response.once("close", () => {
    if (entry !== undefined && response.headersSent) entry.status = response.statusCode;
  });
  try {
    const target = readTarget(request.url ?? "/");
    const headers = headersOf(request);
    const isAccount = (name: string): boolean => service.state.account(name) !== undefined;
    const address = readAddress(headers.get("host") ?? "", target.rawPath, isAccount);
    const facts = describe(request.method ?? "GET", address, new Map(target.query), headers);
    entry = service.log.add(facts);
    const account = service.state.account(address.account);
    if (account !== undefined) await service.outages.meet(account, request.socket);
    met = service.faults.take(facts);
    await meetFaults(met);
    const call = openCall(service, { request, target, address, facts, met, askForBody });
    await sendAnswer(exchange, await handle(call), met);
  } catch (error) {
    if (error instanceof ConnectionGone) return;
    await sendError(exchange, error, met);
  }
}

interface Opening {
  readonly request: IncomingMessage;
  readonly target: ReturnType<typeof splitTarget>;
  readonly address: Address;
  readonly facts: RequestFacts;
  readonly met: readonly Fault[];
  readonly askForBody: () => void;
}

function openCall(service: BlobService, opening: Opening): Call {
  const { request, address, facts, met } = opening;
  const { query, headers } = facts;
  const account = service.state.account(address.account);
  if (account === undefined) throw new BlobError("ResourceNotFound");
  const version = readVersion(headers.get("x-ms-version") ?? query.get("sv"), service.newestVersion);
  const operation = operations[facts.operation];
  const now = service.now();
  const isSecure = request.socket instanceof TLSSocket;
  const authorization = authenticate(
    {
      method: facts.method,
      ...opening.target,
      headers,
      account,
      container: address.container,
      blob: address.blob,
      resourceType: operation?.resourceType ?? "o",
      isSecure,
      remoteAddress: request.socket.remoteAddress ?? "",
    },
    service.state,
    service.tokens,
    now,
  );
  if (operation === undefined) throw new BlobError("NotImplemented", { Operation: facts.operation });
  checkPermission(operation, authorization, account, query);
  let isBodyAskedFor = false;
  return {
    operation: facts.operation,
    method: facts.method,
    account,
    containerName: address.container,
    blobName: address.blob,
    query,
    headers,
    version,
    authorization,
    state: service.state,
    now,
    isSecure,
    endpoint: `${isSecure ? "https" : "http"}://${headers.get("host") ?? ""}/${account.name}`,
    met,
    request,
    openRawBody: () => {
      if (!isBodyAskedFor) opening.askForBody();
      isBodyAskedFor = true;
      return readWithFaults(request, met, service.faults);
    },
    authorizeSource: (url, bearer) => {
      const { state, tokens, outages } = service;
      const port = request.socket.localPort ?? 0;
      const { operation } = facts;
      const reader = { state, tokens, outages, now, isSecure, port, account, authorization, operation };
      return authorizeSource(reader, url, bearer);
    },
  };
}

function checkPermission(
  operation: Operation,
  authorization: Authorization,
  account: StorageAccount,
  query: ReadonlyMap<string, string>,
): void {
  if (authorization.kind === "sas" && !query.has("ss") && !operation.allowsServiceSas) {
    throw new BlobError("AuthorizationFailure");
  }
  // A version is deleted by a permission of its own.
  const needed =
    query.has("versionid") && operation.permissions === "d" ? { ...operation, permissions: "x" } : operation;
  const principal = authorization.kind === "token" ? authorization.principal.objectId : "";
  if (!isPermitted(needed, authorization, roleOf(account, principal)))
    throw new BlobError("AuthorizationPermissionMismatch");
}

async function handle(call: Call): Promise<Answer> {
  if (call.containerName !== undefined) checkContainerName(call.containerName);
  if (call.blobName !== undefined && call.blobName.length > 1024) throw new BlobError("OutOfRangeInput");
  const operation = operations[call.operation];
  if (operation === undefined) throw new BlobError("NotImplemented");
  return await operation.handle(call);
}

function describe(
  method: string,
  address: Address,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): RequestFacts {
  return {
    service: "blob",
    method,
    operation: routeOperation(method, address, query, headers),
    bucket: address.container,
    key: address.blob,
    query,
    headers,
  };
}

function readVersion(text: string | undefined, newest: string): string {
  if (text === undefined) return defaultVersion;
  if (!/^20\d\d-\d\d-\d\d$/.test(text) || text > newest || text < defaultVersion) {
    throw invalidHeader("x-ms-version", text);
  }
  return text;
}

function checkContainerName(name: string): void {
  if (["$root", "$web", "$logs"].includes(name)) return;
  if (name.length < 3 || name.length > 63) throw new BlobError("OutOfRangeInput");
  if (!/^[a-z0-9](?:[a-z0-9]|-(?!-))*[a-z0-9]$/.test(name)) throw new BlobError("InvalidResourceName");
}

function readTarget(target: string): ReturnType<typeof splitTarget> {
  try {
    return splitTarget(target);
  } catch (cause) {
    throw new BlobError("InvalidUri", { Cause: String(cause) });
  }
}
