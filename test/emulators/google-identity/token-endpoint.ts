import { parseJwt, textClaim } from "../jwt.ts";
import { OauthError } from "./google-error.ts";
import { cloudPlatformScope, GoogleTokenError } from "./tokens.ts";
import type { GoogleTokens } from "./tokens.ts";

/** What the endpoints that hand out tokens work with. */
export interface TokenService {
  readonly tokens: GoogleTokens;
  readonly tokenLifetimeMs: number;
  readonly now: () => Date;
}

type Form = ReadonlyMap<string, string>;
type Json = Readonly<Record<string, unknown>>;

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
// The endpoint's public address: some libraries sign for it wherever they post to.
const publicAudiences = ["https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"];

/** Answers in place of `https://oauth2.googleapis.com/token`. */
export function answerTokenRequest(service: TokenService, url: string, form: Form): Json {
  const grant = form.get("grant_type") ?? "";
  if (grant === jwtGrant) return answerJwt(service, url, form.get("assertion") ?? "");
  if (grant === "refresh_token") return answerRefresh(service, form);
  throw new OauthError("unsupported_grant_type", `Invalid grant_type: ${grant}`);
}

function answerJwt(service: TokenService, url: string, assertion: string): Json {
  const jwt = parseJwt(assertion);
  if (jwt === undefined) throw new OauthError("invalid_request", "Invalid JWT: the assertion could not be parsed.");
  const { directory } = service.tokens;
  if (directory.serviceAccount(textClaim(jwt.claims, "iss")) === undefined) {
    throw new OauthError("invalid_grant", "Invalid grant: account not found");
  }
  const audience = textClaim(jwt.claims, "aud");
  if (audience !== url && !publicAudiences.includes(audience)) {
    throw new OauthError(
      "invalid_grant",
      `Invalid JWT: Failed audience check. The right audience is ${publicAudiences[0] ?? url}`,
    );
  }
  const verified = verify(service, jwt);
  const scopes = verified.scopes.filter((scope) => scope.startsWith("https://www.googleapis.com/auth/"));
  if (scopes.length === 0 || scopes.length < verified.scopes.length) {
    throw new OauthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  }
  return writeToken(service, verified.member, scopes);
}

function verify(
  service: TokenService,
  jwt: NonNullable<ReturnType<typeof parseJwt>>,
): ReturnType<GoogleTokens["verifyJwt"]> {
  try {
    return service.tokens.verifyJwt(jwt);
  } catch (error) {
    if (error instanceof GoogleTokenError) throw new OauthError("invalid_grant", error.message);
    throw error;
  }
}

function answerRefresh(service: TokenService, form: Form): Json {
  const ofClient = service.tokens.directory.users.filter(({ clientId }) => clientId === form.get("client_id"));
  if (ofClient.length === 0) throw new OauthError("invalid_client", "The OAuth client was not found.", 401);
  if (!ofClient.some(({ clientSecret }) => clientSecret === form.get("client_secret"))) {
    throw new OauthError("invalid_client", "Unauthorized", 401);
  }
  const user = ofClient.find(({ refreshToken }) => refreshToken === form.get("refresh_token"));
  if (user === undefined) throw new OauthError("invalid_grant", "Token has been expired or revoked.");
  return writeToken(service, user.email, [cloudPlatformScope]);
}

function writeToken(service: TokenService, member: string, scopes: readonly string[]): Json {
  const { tokenLifetimeMs } = service;
  return {
    access_token: service.tokens.issue(member, scopes, tokenLifetimeMs),
    expires_in: Math.floor(tokenLifetimeMs / 1000) - 1,
    scope: scopes.join(" "),
    token_type: "Bearer",
  };
}
