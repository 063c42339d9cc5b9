import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Account, Accounts } from "../accounts.ts";
import { arnOf, isAllowed } from "../accounts.ts";
import { InjectedError } from "../fault-body.ts";
import type { Faults, RequestFacts } from "../faults.ts";
import { splitTarget } from "../http-listener.ts";
import type { RequestLog } from "../request-log.ts";
import { AuthError, findAccount, readClaim, sha256Hex, verifyClaim } from "../sigv4.ts";
import type { AuthReason, SignableRequest } from "../sigv4.ts";
import { serveWhole } from "../whole-request.ts";
import type { WholeAnswer, WholeRequest } from "../whole-request.ts";
import { document, element, leaf } from "../xml.ts";
import type { Call, Ec2Settings } from "./call.ts";
import { Ec2Error } from "./ec2-error.ts";
import { isChange, operations } from "./operations.ts";
import { Params } from "./params.ts";
import { checkPresignedUrl } from "./presigned-url.ts";
import type { RegionState } from "./region-state.ts";
import { answerSts, unsignedActions } from "./sts.ts";
import type { Role } from "./sts.ts";

/** What a running stand-in consists of. */
export interface QueryService {
  readonly regions: ReadonlyMap<string, RegionState>;
  /** Failures that a test asked for, by the id of the volume or snapshot that the next one is made from. */
  readonly failures: Map<string, string>;
  readonly accounts: Accounts;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly roles: readonly Role[];
  readonly settings: Ec2Settings;
  readonly now: () => Date;
}

const stsActions = new Set(["GetCallerIdentity", "AssumeRole", "AssumeRoleWithWebIdentity"]);

/** Answers one request in the Query protocol. */
export async function serveQuery(
  service: QueryService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  const toAnswer = (status: number, xml: string): WholeAnswer => ({
    status,
    headers: { "x-amzn-requestid": requestId, "content-type": "text/xml;charset=UTF-8", server: "AmazonEC2" },
    body: xml,
  });
  await serveWhole(
    {
      faults: service.faults,
      log: service.log,
      describe: describeQuery,
      answer: (whole, facts) => toAnswer(200, answerQuery(service, whole, facts, requestId)),
      refuse: (error, facts) => {
        const { status, xml } = writeError(error, facts.service === "sts", requestId);
        return toAnswer(status, xml);
      },
    },
    request,
    response,
  );
}

function describeQuery({ method, query, headers, body }: WholeRequest): RequestFacts {
  const values = new Map([...query, ...splitTarget(`?${body.toString("utf8")}`).query]);
  const operation = values.get("Action") ?? "";
  return { service: stsActions.has(operation) ? "sts" : "ec2", method, operation, query: values, headers };
}

function answerQuery(service: QueryService, request: WholeRequest, facts: RequestFacts, requestId: string): string {
  const action = facts.operation;
  const isSts = facts.service === "sts";
  const caller = unsignedActions.has(action)
    ? undefined
    : authenticate(service, request, request.body, isSts ? "sts" : "ec2");
  return (isSts ? answerIdentity : answerEc2)(service, action, facts.query, caller, requestId);
}

interface Caller {
  readonly account: Account;
  readonly region: string;
}

function authenticate(service: QueryService, request: SignableRequest, body: Buffer, name: "ec2" | "sts"): Caller {
  const now = service.now();
  const claim = readClaim(request);
  if (claim.service !== name) {
    throw new AuthError("signature", `Credential should be scoped to correct service: '${name}'.`);
  }
  const account = findAccount(claim, service.accounts, now);
  verifyClaim(request, claim, account, { now, payloadHash: sha256Hex(body) });
  return { account, region: claim.region };
}

function answerEc2(
  service: QueryService,
  action: string,
  values: ReadonlyMap<string, string>,
  caller: Caller | undefined,
  requestId: string,
): string {
  const handler = operations[action];
  if (handler === undefined || caller === undefined) {
    throw new Ec2Error("InvalidAction", `The action ${action} is not valid for this web service.`);
  }
  const region = service.regions.get(caller.region);
  if (region === undefined) {
    throw new Ec2Error("AuthFailure", `Credential should be scoped to a valid region, not '${caller.region}'.`, 401);
  }
  if (!isAllowed(caller.account, `ec2:${action}`)) {
    throw new Ec2Error(
      "UnauthorizedOperation",
      `You are not authorized to perform this operation. User: ${arnOf(caller.account)} is not authorized to perform: ec2:${action}`,
      403,
    );
  }
  const now = service.now();
  const call: Call = {
    action,
    params: new Params(values),
    account: caller.account,
    region,
    regionOf: (name) => service.regions.get(name),
    regionNames: [...service.regions.keys()],
    settings: service.settings,
    nowMs: now.getTime(),
    takeFailure: (sourceId) => {
      const message = service.failures.get(sourceId);
      service.failures.delete(sourceId);
      return message;
    },
    checkPresignedUrl: (isNeeded) => checkPresignedUrl(new Params(values), isNeeded, service.accounts, now),
  };
  const children = handler(call);
  if (isChange(action)) region.save();
  const xmlns = ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"';
  return document(element(`${action}Response`, [leaf("requestId", requestId), ...children], xmlns));
}

function answerIdentity(
  service: QueryService,
  action: string,
  values: ReadonlyMap<string, string>,
  caller: Caller | undefined,
  requestId: string,
): string {
  const { accounts, roles } = service;
  const account = caller?.account;
  const result = answerSts({ action, params: new Params(values), account, accounts, roles, now: service.now() });
  const xmlns = ' xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
  const metadata = element("ResponseMetadata", [leaf("RequestId", requestId)]);
  return document(element(`${action}Response`, [result, metadata], xmlns));
}

function writeError(error: unknown, isSts: boolean, requestId: string): { status: number; xml: string } {
  const { status, code, message } = toKnownError(error, isSts);
  if (isSts) {
    const children = [leaf("Type", status < 500 ? "Sender" : "Receiver"), leaf("Code", code), leaf("Message", message)];
    return { status, xml: element("ErrorResponse", [element("Error", children), leaf("RequestId", requestId)]) };
  }
  const one = element("Error", [leaf("Code", code), leaf("Message", message)]);
  return { status, xml: document(element("Response", [element("Errors", [one]), leaf("RequestID", requestId)])) };
}

interface KnownError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

function toKnownError(error: unknown, isSts: boolean): KnownError {
  if (error instanceof Ec2Error || error instanceof InjectedError) return error;
  if (error instanceof AuthError) return isSts ? stsAuthError(error) : ec2AuthError(error);
  return { status: 500, code: "InternalError", message: `An internal error has occurred: ${String(error)}` };
}

function ec2AuthError(error: AuthError): KnownError {
  if (error.reason === "expired-token" || error.reason === "skewed" || error.reason === "expired-url") {
    return { status: 400, code: "RequestExpired", message: "Request has expired." };
  }
  const message = "AWS was not able to validate the provided access credentials";
  return { status: 401, code: "AuthFailure", message };
}

const badToken = "The security token included in the request is invalid.";
const stsCodes: Readonly<Record<AuthReason, readonly [status: number, code: string, message?: string]>> = {
  missing: [403, "MissingAuthenticationToken", "Request is missing Authentication Token"],
  "expired-token": [403, "ExpiredToken", "The security token included in the request is expired"],
  "unknown-key": [403, "InvalidClientTokenId", badToken],
  "wrong-token": [403, "InvalidClientTokenId", badToken],
  malformed: [400, "IncompleteSignature"],
  "malformed-query": [400, "IncompleteSignature"],
  signature: [403, "SignatureDoesNotMatch"],
  skewed: [403, "SignatureDoesNotMatch"],
  "expired-url": [403, "SignatureDoesNotMatch"],
  "unsigned-headers": [403, "SignatureDoesNotMatch"],
};

function stsAuthError(error: AuthError): KnownError {
  const [status, code, message = error.message] = stsCodes[error.reason];
  return { status, code, message };
}
