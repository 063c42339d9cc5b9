import { sign } from "node:crypto";
import { PluginError } from "@flotilla/sdk/plugin";
import { translateTokenAnswer } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { describeIdentity } from "./identity.ts";
import type { AuthorizedUser, ServiceAccountKey } from "./identity.ts";
import { readJson, sendTranslated } from "./json-request.ts";
import type { AccessToken } from "./token-source.ts";
import type { Transport } from "./transport.ts";

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const jwtLifetimeSeconds = 3600;

/** Exchanges a JWT that the account's key signed for a token of the scopes. */
export async function fetchServiceAccountToken(
  transport: Transport,
  identity: ServiceAccountKey,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<AccessToken> {
  const assertion = signJwt(identity, { scope: scopes.join(" "), aud: identity.tokenUri }).token;
  const attempt = tokenAttempt(describeIdentity(identity), identity.tokenUri);
  return await postForm(transport, identity.tokenUri, { grant_type: jwtGrant, assertion }, attempt, signal);
}

/** A JWT that is itself the token: the only one in universes other than Google's public one. */
export function selfSignedToken(identity: ServiceAccountKey, scopes: readonly string[]): AccessToken {
  return signJwt(identity, { sub: identity.email, scope: scopes.join(" ") });
}

/** Exchanges a user's refresh token. */
export async function fetchUserToken(
  transport: Transport,
  identity: AuthorizedUser,
  signal: AbortSignal,
): Promise<AccessToken> {
  const form = {
    grant_type: "refresh_token",
    client_id: identity.clientId,
    client_secret: identity.clientSecret,
    refresh_token: identity.refreshToken,
  };
  const attempt = tokenAttempt(describeIdentity(identity), identity.tokenUri);
  return await postForm(transport, identity.tokenUri, form, attempt, signal);
}

/** Signs bytes with the account's key. */
export function signWithKey({ privateKey, email }: ServiceAccountKey, bytes: string | Uint8Array): Buffer {
  try {
    return sign("sha256", typeof bytes === "string" ? Buffer.from(bytes) : bytes, privateKey);
  } catch (error) {
    throw new PluginError(
      `the private key of the service account "${email}" cannot be used; give the key file as it was downloaded`,
      { kind: "invalid-config", cause: error },
    );
  }
}

/** What is said of an attempt to get a token. */
export function tokenAttempt(who: string, from: string): Attempt {
  const host = URL.canParse(from) ? new URL(from).host : from;
  return { action: `get a token for ${who} from ${host}`, permission: "the identity its token" };
}

/** Reads the token of an OAuth answer. */
export function readOauthToken(body: Readonly<Record<string, unknown>>, { action }: Attempt): AccessToken {
  const { access_token: token, expires_in: seconds } = body;
  if (typeof token !== "string" || token === "" || !(Number(seconds) > 0))
    throw new PluginError(`${action}: the answer holds no token; check the token_uri of the credentials`, {
      kind: "unavailable",
    });
  return { token, expiresAtMs: Date.now() + Number(seconds) * 1000 };
}

async function postForm(
  transport: Transport,
  uri: string,
  form: Readonly<Record<string, string>>,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<AccessToken> {
  if (!URL.canParse(uri))
    throw new PluginError(`the credentials' token_uri is not a URL; give the file as it was downloaded`, {
      kind: "invalid-config",
    });
  const answer = await sendTranslated(
    transport,
    {
      method: "POST",
      url: new URL(uri),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
      signal,
    },
    attempt,
  );
  return readOauthToken(await readJson(answer, attempt, translateTokenAnswer, signal), attempt);
}

function signJwt(identity: ServiceAccountKey, claims: Readonly<Record<string, string>>): AccessToken {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + jwtLifetimeSeconds;
  const header = { alg: "RS256", typ: "JWT", ...(identity.keyId === undefined ? {} : { kid: identity.keyId }) };
  const payload = { iss: identity.email, ...claims, iat: issuedAt, exp: expiresAt };
  const unsigned = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = signWithKey(identity, unsigned).toString("base64url");
  return { token: `${unsigned}.${signature}`, expiresAtMs: expiresAt * 1000 };
}
