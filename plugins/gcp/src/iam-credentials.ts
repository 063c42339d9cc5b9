import { PluginError } from "@flotilla/sdk/plugin";
import { deniedMeaning, answerError } from "@flotilla/sdk/network";
import type { ApiAnswer } from "./answers.ts";
import { meaningInWords } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { describeIdentity } from "./identity.ts";
import type { ImpersonatedAccount } from "./identity.ts";
import { readJson, sendTranslated } from "./json-request.ts";
import { tokenAttempt } from "./oauth.ts";
import type { AccessToken } from "./token-source.ts";
import type { Transport } from "./transport.ts";

const tokenCreatorRole = 'the role "Service Account Token Creator" on the service account';

/** Asks for a token of another service account. */
export async function fetchImpersonatedToken(
  transport: Transport,
  identity: ImpersonatedAccount,
  sourceToken: string,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<AccessToken> {
  const { url, delegates, lifetimeSeconds } = identity;
  const source = describeIdentity(identity.source);
  const attempt = { ...tokenAttempt(describeIdentity(identity), url), permission: `${source} ${tokenCreatorRole}` };
  const body = { scope: scopes, lifetime: `${lifetimeSeconds}s`, ...(delegates.length === 0 ? {} : { delegates }) };
  const { accessToken, expireTime } = await post(transport, url, sourceToken, body, attempt, signal);
  const expiresAtMs = Date.parse(String(expireTime));
  if (typeof accessToken !== "string" || Number.isNaN(expiresAtMs))
    throw new PluginError(`${attempt.action}: the answer holds no token`, { kind: "unavailable" });
  return { token: accessToken, expiresAtMs };
}

/** A request to have bytes signed as a service account, by the key that Google keeps for it. */
export interface SignBlobRequest {
  /** Of the IAM credentials API, without a slash at its end. */
  readonly endpoint: string;
  readonly email: string;
  readonly delegates: readonly string[];
  readonly token: string;
  readonly bytes: string;
}

/** Signs bytes as a service account. */
export async function signBlob(transport: Transport, request: SignBlobRequest, signal: AbortSignal): Promise<Buffer> {
  const { endpoint, email, delegates, token, bytes } = request;
  const url = `${endpoint}/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:signBlob`;
  const attempt = { action: `sign as the service account "${email}"`, permission: tokenCreatorRole };
  const payload = Buffer.from(bytes).toString("base64");
  const body = { payload, ...(delegates.length === 0 ? {} : { delegates }) };
  const { signedBlob } = await post(transport, url, token, body, attempt, signal);
  if (typeof signedBlob !== "string")
    throw new PluginError(`${attempt.action}: the answer holds no signature`, { kind: "unavailable" });
  return Buffer.from(signedBlob, "base64");
}

async function post(
  transport: Transport,
  url: string,
  token: string,
  body: Readonly<Record<string, unknown>>,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const request = {
    method: "POST",
    url: new URL(url),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
  return await readJson(await sendTranslated(transport, request, attempt), attempt, translateIamAnswer, signal);
}

/** What is not there is refused by IAM like what is forbidden, and must never sound like an absent object. */
function translateIamAnswer(answer: ApiAnswer, attempt: Attempt): PluginError {
  const meaning = answer.status === 404 ? deniedMeaning(attempt) : meaningInWords(answer, attempt);
  return answerError(undefined, answer, attempt, meaning);
}
