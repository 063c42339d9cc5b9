import { sign } from "node:crypto";

import type { ServiceAccount } from "./directory.ts";
import { missingPermission, RpcError } from "./google-error.ts";
import type { TokenService } from "./token-endpoint.ts";
import { cloudPlatformScope, GoogleTokenError } from "./tokens.ts";

type Json = Readonly<Record<string, unknown>>;

/** A request to `iamcredentials.googleapis.com` on a service account. */
export interface CredentialsRequest {
  /** The e-mail address or unique id. */
  readonly account: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const demand = { scopes: [cloudPlatformScope, "https://www.googleapis.com/auth/iam"], audiences: [] };
const maxLifetimeSeconds = 3600;

/** `generateAccessToken`: a token of another service account. */
export function generateAccessToken(service: TokenService, request: CredentialsRequest): Json {
  const { account, body } = authorize(service, request, "iam.serviceAccounts.getAccessToken");
  const scopes = body["scope"] ?? [];
  if (!Array.isArray(scopes) || scopes.length === 0) throw new RpcError("INVALID_ARGUMENT", "Scope required.");
  const text = body["lifetime"] ?? "3600s";
  const [, seconds] = /^(\d+)s$/.exec(typeof text === "string" ? text : "") ?? [];
  if (seconds === undefined || Number(seconds) > maxLifetimeSeconds || Number(seconds) === 0) {
    throw new RpcError("INVALID_ARGUMENT", `The access token lifetime cannot exceed ${maxLifetimeSeconds}s.`);
  }
  const lifetimeMs = Math.min(Number(seconds) * 1000, service.tokenLifetimeMs);
  return {
    accessToken: service.tokens.issue(account.email, scopes.map(String), lifetimeMs),
    expireTime: new Date(service.now().getTime() + lifetimeMs).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

/** `signBlob`: bytes signed with the key that Google keeps for the account. */
export function signBlob(service: TokenService, request: CredentialsRequest): Json {
  const { account, body } = authorize(service, request, "iam.serviceAccounts.signBlob");
  const payload = body["payload"];
  if (typeof payload !== "string" || !/^[\w+/-]*={0,2}$/.test(payload)) {
    throw new RpcError("INVALID_ARGUMENT", "Invalid value at 'payload' (TYPE_BYTES), Base64 decoding failed");
  }
  const { id, privateKey } = account.managedKey;
  return { keyId: id, signedBlob: sign("sha256", Buffer.from(payload, "base64"), privateKey).toString("base64") };
}

function authorize(
  service: TokenService,
  request: CredentialsRequest,
  permission: string,
): { readonly account: ServiceAccount; readonly body: Json } {
  const member = authenticate(service, request.headers.get("authorization") ?? "");
  const account = service.tokens.directory.serviceAccount(request.account);
  const body = readJson(request.body);
  const chain = [member, ...readDelegates(body)];
  // Each one of the chain must be trusted by the next; the last one is trusted by the account.
  chain.forEach((from, index) => {
    const next = chain[index + 1];
    const to = next === undefined ? account : service.tokens.directory.serviceAccount(next);
    if (to?.tokenCreators.includes(from) === true) return;
    throw missingPermission(
      next === undefined ? permission : "iam.serviceAccounts.implicitDelegation",
      `projects/-/serviceAccounts/${next ?? request.account}`,
    );
  });
  if (account === undefined) throw missingPermission(permission, `projects/-/serviceAccounts/${request.account}`);
  return { account, body };
}

function authenticate(service: TokenService, authorization: string): string {
  const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? [];
  try {
    if (token !== undefined) return service.tokens.verify(token, demand).member;
  } catch (error) {
    if (!(error instanceof GoogleTokenError)) throw error;
    if (error.problem === "scope") throw new RpcError("PERMISSION_DENIED", error.message);
  }
  throw new RpcError(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
  );
}

function readDelegates(body: Json): readonly string[] {
  const delegates = body["delegates"] ?? [];
  if (!Array.isArray(delegates)) throw new RpcError("INVALID_ARGUMENT", "Invalid value at 'delegates'.");
  return delegates.map((one) => String(one).replace(/^projects\/-\/serviceAccounts\//, ""));
}

function readJson(body: Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Answered like any other body that is no object.
  }
  throw new RpcError("INVALID_ARGUMENT", "Invalid JSON payload received.");
}
