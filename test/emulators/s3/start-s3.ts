import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Account, Accounts } from "../accounts.ts";
import { arnOf, defaultAccountId, isAllowed, toAccounts } from "../accounts.ts";
import { ConnectionGone, Faults, resetConnection } from "../faults.ts";
import type { Fault, RequestFacts } from "../faults.ts";
import { headersOf, listen, splitTarget } from "../http-listener.ts";
import type { Listener, TlsFiles } from "../http-listener.ts";
import { meetFaults, readWithFaults } from "../fault-body.ts";
import { RequestLog } from "../request-log.ts";
import type { LoggedRequest } from "../request-log.ts";
import { authenticate } from "./authenticate.ts";
import { newBucket } from "./buckets.ts";
import { requireOwner } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { operations, requiredActions } from "./operations.ts";
import { readAddress, routeOperation } from "./route.ts";
import type { Address } from "./route.ts";
import { S3Error } from "./s3-error.ts";
import { sendAnswer, sendError } from "./send.ts";
import type { Exchange } from "./send.ts";
import { S3State } from "./state.ts";
import type { KmsRules, RegionLoss } from "./state.ts";

/** A bucket to create at the start, where it does not exist. */
export interface BucketSeed {
  readonly name: string;
  /** Default: the first of the stand-in's regions. */
  readonly region?: string;
  readonly owner?: string;
  readonly objectLock?: boolean;
}

/** How to start the S3 stand-in. */
export interface S3Options {
  /** The folder of all state; an existing one is continued. */
  readonly stateDir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: `test` / `testsecret`. */
  readonly accounts?: Accounts | readonly Account[];
  /** Default: none. */
  readonly buckets?: readonly (string | BucketSeed)[];
  /** Default: us-east-1, us-west-2, eu-west-1, eu-central-1. */
  readonly regions?: readonly string[];
  readonly tls?: TlsFiles;
  readonly faults?: Faults;
  /** SSE-C keys are refused over plain HTTP, as on S3, unless this is set. */
  readonly allowSseCustomerOverHttp?: boolean;
  /** False: checksums are checked on their way in and then forgotten, as by many compatible stores. Default: true. */
  readonly keepsChecksums?: boolean;
  readonly kms?: KmsRules;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running S3 stand-in. */
export interface S3StandIn extends Listener {
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Loses a region with all its buckets: every request to them fails, and every copy from them. */
  loseRegion(region: string, loss?: RegionLoss): void;
  /** Brings a lost region back as it was. */
  restoreRegion(region: string): void;
}

const defaultRegions = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"];

/** Starts a stand-in of S3 on loopback. */
export async function startS3(options: S3Options): Promise<S3StandIn> {
  const regions = options.regions ?? defaultRegions;
  const state = new S3State(options.stateDir, {
    regions,
    kms: options.kms ?? {},
    allowSseCustomerOverHttp: options.allowSseCustomerOverHttp ?? false,
    keepsChecksums: options.keepsChecksums ?? true,
  });
  for (const one of options.buckets ?? []) {
    const seed: BucketSeed = typeof one === "string" ? { name: one } : one;
    if (state.findBucket(seed.name) !== undefined) continue;
    const owner = seed.owner ?? defaultAccountId;
    state.createBucket(newBucket(seed.name, seed.region ?? regions[0] ?? "us-east-1", owner, seed.objectLock === true));
  }
  const service: Service = {
    state,
    accounts: toAccounts(options.accounts),
    faults: options.faults ?? new Faults(),
    log: new RequestLog(),
    isSecure: options.tls !== undefined,
    now: options.now ?? (() => new Date()),
  };
  const listener = await listen((request, response, askForBody) => void serve(service, request, response, askForBody), {
    port: options.port,
    tls: options.tls,
  });
  return {
    ...listener,
    faults: service.faults,
    log: service.log,
    loseRegion: (region, loss = "refuse") => state.setRegion(region, loss),
    restoreRegion: (region) => state.setRegion(region, undefined),
  };
}

interface Service {
  readonly state: S3State;
  readonly accounts: Accounts;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly isSecure: boolean;
  readonly now: () => Date;
}

async function serve(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  askForBody: () => void,
): Promise<void> {
  const exchange: Exchange = {
    request,
    response,
    faults: service.faults,
    requestId: randomBytes(8).toString("hex").toUpperCase(),
  };
  let met: readonly Fault[] = [];
  let entry: LoggedRequest | undefined;
  response.once("close", () => {
    if (entry !== undefined && response.headersSent) entry.status = response.statusCode;
  });
  try {
    const headers = headersOf(request);
    const { rawPath, query } = readTarget(request.url ?? "/");
    const address = readAddress(headers.get("host") ?? "", rawPath);
    const facts = describe(request.method ?? "GET", address, new Map(query), headers);
    entry = service.log.add(facts);
    met = service.faults.take(facts);
    await meetLoss(service, address, request);
    await meetFaults(met);
    const signable = { method: facts.method, rawPath, query, headers };
    const now = service.now();
    const identity = authenticate(signable, address, service.state, service.accounts, now);
    checkPermissions(facts, identity.account, address);
    let isBodyAskedFor = false;
    const openRawBody = (): AsyncIterable<Buffer> => {
      if (!isBodyAskedFor) askForBody();
      isBodyAskedFor = true;
      return readWithFaults(request, met, service.faults);
    };
    const handled = await handle({
      ...identity,
      operation: facts.operation,
      method: facts.method,
      bucketName: address.bucket,
      objectKey: address.key,
      query: facts.query,
      headers,
      state: service.state,
      now,
      isSecure: service.isSecure,
      met,
      request,
      openRawBody,
    });
    await sendAnswer(exchange, handled, met);
  } catch (error) {
    if (error instanceof ConnectionGone) return;
    await sendError(exchange, error, met);
  }
}

async function meetLoss({ state, faults }: Service, address: Address, request: IncomingMessage): Promise<void> {
  const loss = state.lossOf(address.bucket);
  if (loss === undefined) return;
  if (loss === "refuse") throw new S3Error("ServiceUnavailable");
  if (loss === "hang") await faults.stall(request.socket);
  resetConnection(request.socket);
  throw new ConnectionGone();
}

async function handle(call: Call): Promise<Answer> {
  const handler = operations[call.operation];
  if (handler === undefined) throw new S3Error("NotImplemented");
  if (call.bucketName !== undefined && call.operation !== "CreateBucket")
    requireOwner(call.state.bucket(call.bucketName), call.headers.get("x-amz-expected-bucket-owner"));
  if (call.objectKey !== undefined && Buffer.byteLength(call.objectKey) > 1024) {
    throw new S3Error("KeyTooLongError", undefined, {
      details: { Size: String(Buffer.byteLength(call.objectKey)), MaxSizeAllowed: "1024" },
    });
  }
  return await handler(call);
}

function describe(
  method: string,
  address: Address,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): RequestFacts {
  const part = query.get("partNumber");
  return {
    service: "s3",
    method,
    operation: routeOperation(method, address, query, headers),
    bucket: address.bucket,
    key: address.key,
    partNumber: part === undefined ? undefined : Number(part),
    query,
    headers,
  };
}

function checkPermissions(facts: RequestFacts, account: Account, address: Address): void {
  for (const action of requiredActions(facts.operation, facts.query, facts.headers)) {
    if (isAllowed(account, action, address.bucket)) continue;
    const resource = `arn:aws:s3:::${[address.bucket, address.key].filter((part) => part !== undefined).join("/")}`;
    throw new S3Error(
      "AccessDenied",
      `User: ${arnOf(account)} is not authorized to perform: ${action} on resource: "${resource}" because no identity-based policy allows the ${action} action`,
    );
  }
}

function readTarget(target: string): ReturnType<typeof splitTarget> {
  try {
    return splitTarget(target);
  } catch (cause) {
    throw new S3Error("InvalidURI", undefined, { details: { URI: target, Cause: String(cause) } });
  }
}
