import { randomBytes } from "node:crypto";

import { accountIdOf, arnOf } from "../accounts.ts";
import type { Account, Accounts } from "../accounts.ts";
import { element, leaf } from "../xml.ts";
import { Ec2Error } from "./ec2-error.ts";
import type { Params } from "./params.ts";

/** A role that can be assumed. */
export interface Role {
  readonly arn: string;
  /** The access keys that may assume it; absent means all. */
  readonly trusts?: readonly string[];
  /** The web identity tokens that it accepts, whole. */
  readonly webIdentityTokens?: readonly string[];
  readonly externalId?: string;
  /** What a session of the role may do. */
  readonly permissions?: Pick<Account, "buckets" | "deny">;
}

/** A request to STS; the account is absent where the action is not signed. */
export interface StsCall {
  readonly action: string;
  readonly params: Params;
  readonly account: Account | undefined;
  readonly accounts: Accounts;
  readonly roles: readonly Role[];
  readonly now: Date;
}

/** The actions that carry no signature: the token is the proof. */
export const unsignedActions: ReadonlySet<string> = new Set(["AssumeRoleWithWebIdentity"]);

/** Answers a request to STS. */
export function answerSts(call: StsCall): string {
  switch (call.action) {
    case "GetCallerIdentity":
      return getCallerIdentity(call);
    case "AssumeRole":
      return assumeRole(call);
    case "AssumeRoleWithWebIdentity":
      return assumeRoleWithWebIdentity(call);
    default:
      throw new Ec2Error("InvalidAction", `Could not find operation ${call.action}`);
  }
}

function getCallerIdentity({ account }: StsCall): string {
  if (account === undefined)
    throw new Ec2Error("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
  return element("GetCallerIdentityResult", [
    leaf("Arn", arnOf(account)),
    leaf("UserId", account.accessKeyId),
    leaf("Account", accountIdOf(account)),
  ]);
}

function assumeRole(call: StsCall): string {
  const arn = call.params.required("RoleArn");
  const role = call.roles.find((one) => one.arn === arn);
  const caller = call.account;
  const isTrusted =
    role !== undefined &&
    caller !== undefined &&
    (role.trusts === undefined || role.trusts.includes(caller.accessKeyId)) &&
    (role.externalId === undefined || role.externalId === call.params.text("ExternalId"));
  if (!isTrusted) {
    const who = caller === undefined ? "anonymous" : arnOf(caller);
    throw new Ec2Error(
      "AccessDenied",
      `User: ${who} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      403,
    );
  }
  return element("AssumeRoleResult", startSession(call, role));
}

function assumeRoleWithWebIdentity(call: StsCall): string {
  const arn = call.params.required("RoleArn");
  const token = call.params.required("WebIdentityToken");
  const expiry = readExpiry(token);
  if (expiry === undefined) {
    throw new Ec2Error("InvalidIdentityToken", "The ID Token provided is not a valid JWT.");
  }
  if (expiry <= call.now.getTime() / 1000) {
    throw new Ec2Error(
      "ExpiredTokenException",
      "Token expired: current date/time must be before the expiration date/time",
    );
  }
  const role = call.roles.find((one) => one.arn === arn);
  if (role?.webIdentityTokens?.includes(token) !== true) {
    throw new Ec2Error("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403);
  }
  return element("AssumeRoleWithWebIdentityResult", [
    ...startSession(call, role),
    leaf("SubjectFromWebIdentityToken", "system:serviceaccount:velero:velero"),
    leaf("Provider", "arn:aws:iam::123456789012:oidc-provider/stand-in"),
  ]);
}

function startSession(call: StsCall, role: Role): string[] {
  const session = call.params.required("RoleSessionName");
  const seconds = call.params.integer("DurationSeconds") ?? 3600;
  if (seconds < 900 || seconds > 43_200) {
    throw new Ec2Error(
      "ValidationError",
      `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint`,
    );
  }
  const expired = new Date(call.now.getTime() + seconds * 1000);
  const accessKeyId = `ASIA${randomBytes(8).toString("hex").toUpperCase()}`;
  const secretAccessKey = randomBytes(30).toString("base64");
  const sessionToken = randomBytes(48).toString("base64");
  const accountId = role.arn.split(":")[4] ?? "";
  const arn = `${role.arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${session}`;
  call.accounts.add({ ...role.permissions, accessKeyId, secretAccessKey, sessionToken, expired, accountId, arn });
  return [
    element("Credentials", [
      leaf("AccessKeyId", accessKeyId),
      leaf("SecretAccessKey", secretAccessKey),
      leaf("SessionToken", sessionToken),
      leaf("Expiration", expired.toISOString()),
    ]),
    element("AssumedRoleUser", [leaf("Arn", arn), leaf("AssumedRoleId", `AROASTANDIN:${session}`)]),
  ];
}

/** Reads the `exp` claim of a token; undefined where the token is not a JWT. The signature is not checked: tokens are known whole. */
function readExpiry(token: string): number | undefined {
  const [, payload, , ...more] = token.split(".");
  if (payload === undefined || more.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp : undefined;
  } catch {
    return undefined;
  }
}
