import { parseJwt, textClaim, timeClaim } from "../jwt.ts";
import { federatedMember } from "./directory.ts";
import type { WorkloadProvider } from "./directory.ts";
import { OauthError } from "./google-error.ts";
import type { TokenService } from "./token-endpoint.ts";

const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const jwtTypes = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/** Answers in place of `https://sts.googleapis.com/v1/token`: a cluster's token for Google's. */
export function answerTokenExchange(
  service: TokenService,
  form: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  const field = (name: string): string => {
    const value = form.get(name) ?? "";
    if (value !== "") return value;
    throw new OauthError("invalid_request", `Missing or invalid field: ${name}.`);
  };
  const grant = field("grant_type");
  if (grant !== exchangeGrant) throw new OauthError("unsupported_grant_type", `Invalid grant_type: ${grant}`);
  if (field("requested_token_type") !== accessToken) {
    throw new OauthError("invalid_request", `requested_token_type must be ${accessToken}.`);
  }
  const audience = field("audience");
  const provider = service.tokens.directory.provider(audience);
  if (provider === undefined) {
    throw new OauthError(
      "invalid_target",
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    );
  }
  const type = field("subject_token_type");
  if (!jwtTypes.includes(type)) {
    throw new OauthError("invalid_request", `The subject token type ${type} is not supported by the provider.`);
  }
  const subject = checkSubjectToken(provider, field("subject_token"), service.now());
  const scopes = field("scope").split(" ");
  return {
    access_token: service.tokens.issue(federatedMember(provider, subject), scopes, service.tokenLifetimeMs),
    issued_token_type: accessToken,
    token_type: "Bearer",
    expires_in: Math.floor(service.tokenLifetimeMs / 1000),
  };
}

function checkSubjectToken(provider: WorkloadProvider, token: string, now: Date): string {
  const jwt = parseJwt(token);
  if (jwt === undefined) throw new OauthError("invalid_request", "Unable to parse the ID Token.");
  const issuer = textClaim(jwt.claims, "iss");
  if (issuer !== provider.issuer) {
    throw new OauthError(
      "invalid_grant",
      `The issuer in ID Token ${issuer} does not match the expected ones: ${provider.issuer}.`,
    );
  }
  if (!jwt.isSignedBy(provider.publicKey)) {
    throw new OauthError(
      "invalid_grant",
      "Error connecting the given credential: the signature could not be verified.",
    );
  }
  const audiences = [jwt.claims["aud"]].flat().map(String);
  const allowed = provider.allowedAudiences ?? [provider.audience, `https:${provider.audience}`];
  if (!audiences.some((audience) => allowed.includes(audience))) {
    throw new OauthError(
      "invalid_grant",
      `The audience in ID Token [${audiences.join(", ")}] does not match the expected audience ${allowed[0] ?? ""}.`,
    );
  }
  const expiresMs = timeClaim(jwt.claims, "exp") ?? 0;
  if (expiresMs <= now.getTime()) {
    throw new OauthError(
      "invalid_grant",
      `ID Token issued at ${(timeClaim(jwt.claims, "iat") ?? 0) / 1000} is stale to sign-in.`,
    );
  }
  return textClaim(jwt.claims, "sub");
}
