import { computeDemand, GoogleTokenError } from "../google-identity/tokens.ts";
import type { GoogleTokens, TokenDemand } from "../google-identity/tokens.ts";
import { GceError } from "./gce-error.ts";

const readOnlyScope = "https://www.googleapis.com/auth/compute.readonly";

/** Returns who asks, by the bearer token of the request. */
export function authenticate(method: string, headers: ReadonlyMap<string, string>, tokens: GoogleTokens): string {
  const [, token] = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (token === undefined) throw new GceError(401, "required", "Login Required.", challenge(""));
  try {
    return tokens.verify(token, demandOf(method)).member;
  } catch (error) {
    if (!(error instanceof GoogleTokenError)) throw error;
    if (error.problem === "scope") throw new GceError(403, "insufficientPermissions", error.message);
    throw new GceError(
      401,
      "authError",
      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
      challenge(', error="invalid_token"'),
    );
  }
}

function demandOf(method: string): TokenDemand {
  if (method !== "GET") return computeDemand;
  return { ...computeDemand, scopes: [...computeDemand.scopes, readOnlyScope] };
}

function challenge(error: string): Readonly<Record<string, string>> {
  return { "www-authenticate": `Bearer realm="https://accounts.google.com/"${error}` };
}
