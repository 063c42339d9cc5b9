import { TokenError } from "../azure-identity/tokens.ts";
import type { Principal, TokenAuthority } from "../azure-identity/tokens.ts";
import { issuerOf } from "../azure-identity/tokens.ts";
import { ArmError } from "./arm-error.ts";
import type { Subscription } from "./state.ts";

const audiences = [
  "https://management.azure.com/",
  "https://management.core.windows.net/",
  "https://management.chinacloudapi.cn/",
  "https://management.core.chinacloudapi.cn/",
  "https://management.usgovcloudapi.net/",
  "https://management.core.usgovcloudapi.net/",
];

const codes: Readonly<Partial<Record<TokenError["problem"], string>>> = {
  audience: "InvalidAuthenticationTokenAudience",
  expired: "ExpiredAuthenticationToken",
};

/** Returns who asks, by the bearer token of the request. */
export function authenticate(headers: ReadonlyMap<string, string>, tokens: TokenAuthority): Principal {
  const [, token] = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (token === undefined) {
    throw refuse("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
  }
  try {
    return tokens.verify(token, audiences).principal;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw refuse(codes[error.problem] ?? "InvalidAuthenticationToken", error.message);
  }
}

/** Refuses a token of another tenant than the subscription's. */
export function checkTenant(principal: Principal, subscription: Subscription): void {
  if (principal.tenantId.toLowerCase() === subscription.tenantId.toLowerCase()) return;
  throw refuse(
    "InvalidAuthenticationTokenTenant",
    `The access token is from the wrong issuer '${issuerOf(principal.tenantId)}'. It must match the tenant '${issuerOf(subscription.tenantId)}' associated with this subscription.`,
  );
}

function refuse(code: string, message: string): ArmError {
  const challenge = `Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="${message.replaceAll('"', "'")}"`;
  return new ArmError(401, code, message, { "www-authenticate": challenge });
}
