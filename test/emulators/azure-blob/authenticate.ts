import { storageAudience, TokenError } from "../azure-identity/tokens.ts";
import type { Principal, TokenAuthority, TokenProblem } from "../azure-identity/tokens.ts";
import { BlobError } from "./blob-error.ts";
import type { Authorization } from "./call.ts";
import { checkSas } from "./sas.ts";
import { authenticationFailed, checkSharedKey } from "./shared-key.ts";
import type { SignedRequest } from "./shared-key.ts";
import type { BlobState, StorageAccount } from "./state.ts";

/** What authentication looks at. */
export interface Unproven extends SignedRequest {
  readonly account: StorageAccount;
  readonly container: string | undefined;
  readonly blob: string | undefined;
  readonly resourceType: string;
  readonly isSecure: boolean;
  readonly remoteAddress: string;
}

/** Checks the proof that a request carries: a shared key's signature, a token, or a shared access signature. */
export function authenticate(
  request: Unproven,
  state: BlobState,
  tokens: TokenAuthority | undefined,
  now: Date,
): Authorization {
  const { account } = request;
  const authorization = request.headers.get("authorization");
  const query = new Map(request.query);
  if (authorization === undefined) {
    if (!query.has("sig")) throw noProof(account);
    return checkSas({ ...request, query }, account, state, now);
  }
  if (query.has("sig")) throw new BlobError("InvalidAuthenticationInfo");
  const [scheme = "", value = ""] = authorization.split(/ (.*)/s);
  if (scheme === "SharedKey") {
    checkSharedKey(request, account, authorization, now);
    return { kind: "shared-key" };
  }
  if (scheme !== "Bearer") throw new BlobError("InvalidAuthenticationInfo");
  if (!request.isSecure) throw authenticationFailed("Authentication scheme Bearer is not supported over HTTP.");
  return { kind: "token", principal: checkToken(value, account, tokens) };
}

/** Checks an access token for the storage service. */
export function checkToken(token: string, account: StorageAccount, tokens: TokenAuthority | undefined): Principal {
  if (tokens === undefined) throw badToken(account, "The access token's issuer is not known.");
  try {
    const audiences = [storageAudience, `https://${account.name}.blob.core.windows.net/`];
    const { principal } = tokens.verify(token, audiences);
    if (account.tenantId !== undefined && principal.tenantId !== account.tenantId) {
      throw badToken(account, "Issuer validation failed. Issuer did not match.");
    }
    return principal;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw badToken(account, problems[error.problem]);
  }
}

const problems: Readonly<Record<TokenProblem, string>> = {
  malformed: "The token is not a JSON web token.",
  signature: "Signature validation failed.",
  issuer: "Issuer validation failed. Issuer did not match.",
  audience: "Audience validation failed. Audience did not match.",
  "not-yet-valid": "Lifetime validation failed. The token is not yet valid.",
  expired: "Lifetime validation failed. The token is expired.",
};

function badToken(account: StorageAccount, detail: string): BlobError {
  const message =
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
  return new BlobError(
    "InvalidAuthenticationInfo",
    { AuthenticationErrorDetail: detail },
    { status: 401, message, headers: challenge(account) },
  );
}

function noProof(account: StorageAccount): BlobError {
  return new BlobError("NoAuthenticationInformation", {}, { headers: challenge(account) });
}

function challenge(account: StorageAccount): Record<string, string> {
  const tenant = account.tenantId ?? "common";
  return {
    "www-authenticate": `Bearer authorization_uri=https://login.microsoftonline.com/${tenant}/oauth2/authorize resource_id=https://storage.azure.com`,
  };
}
