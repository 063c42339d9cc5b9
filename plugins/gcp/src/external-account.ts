import { Agent } from "node:http";
import { AwsClient, ExternalAccountAuthorizedUserClient, gaxios, IdentityPoolClient } from "google-auth-library";
import { localError } from "@flotilla/sdk/network";
import type { Environment } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import { isRecord, parseApiText, readText } from "./answers.ts";
import type { ApiAnswer } from "./answers.ts";
import { translateTokenAnswer } from "./errors.ts";
import { executableToken } from "./executable-token.ts";
import { describeIdentity } from "./identity.ts";
import type { FederatedIdentity } from "./identity.ts";
import { tokenAttempt } from "./oauth.ts";
import type { AccessToken, FetchToken } from "./token-source.ts";
import type { HttpRequest, Transport } from "./transport.ts";

// A file of its own, since it is all that needs the auth SDK: it knows where subject tokens come from (files, URLs, AWS,
// certificates) and how they are exchanged.

type SdkClient = IdentityPoolClient | AwsClient | ExternalAccountAuthorizedUserClient;

/** What a federated identity is proved with. */
export interface FederationOptions {
  readonly scopes: readonly string[];
  /** For a program that prints tokens. */
  readonly env: Environment;
}

/** Fetches tokens of a federated identity. */
export function externalAccountFetcher(
  transport: Transport,
  identity: FederatedIdentity,
  options: FederationOptions,
): FetchToken {
  const { token_url: tokenUrl } = identity.fields;
  const from = typeof tokenUrl === "string" ? tokenUrl : "the security token service";
  const attempt = tokenAttempt(describeIdentity(identity), from);
  return async (signal) => {
    const adapter = new TransportAdapter(transport, signal);
    try {
      // A new client for each token: it would hand out the one that it keeps, refused or not.
      return await fetchBy(createClient(identity, options, adapter, signal), attempt.action);
    } catch (error) {
      if (adapter.refusal !== undefined) throw translateTokenAnswer(adapter.refusal, attempt);
      if (adapter.failure !== undefined) throw localError(adapter.failure, { ...attempt, signal });
      if (error instanceof PluginError) throw error;
      // What failed before any request: a token file that cannot be read, for example.
      throw new PluginError(`${attempt.action}: ${firstLine(error)}; check the credential_source of the credentials`, {
        kind: "invalid-config",
        cause: error,
      });
    }
  };
}

async function fetchBy(client: SdkClient, action: string): Promise<AccessToken> {
  const { token } = await client.getAccessToken();
  const { expiry_date: expiresAtMs } = client.credentials;
  if (typeof token !== "string") throw new PluginError(`${action}: the answer holds no token`, { kind: "unavailable" });
  return { token, expiresAtMs: expiresAtMs ?? Date.now() + defaultLifetimeMs };
}

// The security token service may leave out how long a token lasts; the shortest that Google documents.
const defaultLifetimeMs = 5 * 60_000;

function createClient(
  { fields, audience, impersonatedEmail }: FederatedIdentity,
  { scopes, env }: FederationOptions,
  adapter: TransportAdapter,
  signal: AbortSignal,
): SdkClient {
  const transporter = new gaxios.Gaxios({ adapter: adapter.adapt });
  const source = isRecord(fields["credential_source"]) ? fields["credential_source"] : {};
  const { executable, environment_id: environmentId } = source;
  // The SDK's own runner takes a program's warnings for a part of its answer, and quotes both where it fails.
  const runner = isRecord(executable)
    ? {
        credential_source: undefined,
        subject_token_supplier: {
          getSubjectToken: async () => {
            const tokenType = String(fields["subject_token_type"]);
            return await executableToken({ source: executable, audience, tokenType, impersonatedEmail, env }, signal);
          },
        },
      }
    : {};
  // The SDK checks the fields itself; their types are those of the files that it documents.
  const options = { ...fields, ...runner, transporter } as unknown as ConstructorParameters<
    typeof IdentityPoolClient
  >[0] &
    ConstructorParameters<typeof AwsClient>[0] &
    ConstructorParameters<typeof ExternalAccountAuthorizedUserClient>[0];
  if (fields["type"] === "external_account_authorized_user") return new ExternalAccountAuthorizedUserClient(options);
  const isAws = typeof environmentId === "string" && environmentId !== "";
  const client = isAws
    ? new AwsClient({ ...options, credential_source: { ...awsDefaults, ...source } } as typeof options)
    : trimming(new IdentityPoolClient(options));
  client.scopes = [...scopes];
  // The part that exchanges tokens would use a transport of its own, with the process's proxies and no caCert.
  Object.assign(exchangeOf(client), { transporter });
  return client;
}

// What Google's library for Go takes where the credentials say nothing; the one for Node insists on being told.
const awsDefaults = {
  regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
};

/** Without the line's end that many a program writes after a token, as Google's library for Go reads it. */
function trimming(client: IdentityPoolClient): IdentityPoolClient {
  const retrieve = client.retrieveSubjectToken.bind(client);
  client.retrieveSubjectToken = async () => (await retrieve()).trim();
  return client;
}

function exchangeOf(client: object): object {
  const exchange: unknown = Reflect.get(client, "stsCredential");
  if (typeof exchange === "object" && exchange !== null) return exchange;
  throw new PluginError("the auth SDK has another form than this plugin was built for", { kind: "internal" });
}

/** Carries the SDK's requests over the location's own connections, and keeps what the last one failed by. */
class TransportAdapter {
  readonly #transport: Transport;
  readonly #signal: AbortSignal;
  refusal: ApiAnswer | undefined;
  failure: unknown;

  constructor(transport: Transport, signal: AbortSignal) {
    this.#transport = transport;
    this.#signal = signal;
  }

  readonly adapt: NonNullable<gaxios.GaxiosOptions["adapter"]> = async (options) => {
    this.refusal = undefined;
    this.failure = undefined;
    try {
      const answer = await this.#transport.send(this.#request(options));
      const text = await readText(answer);
      const { status } = answer;
      if (status < 200 || status > 299) this.refusal = parseApiText(text, status, undefined);
      const headers = new Headers(
        Object.entries(answer.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
      );
      const data: unknown = options.responseType === "json" ? (parseData(text) ?? text) : text;
      // The SDK reads these fields of an answer and no other.
      return { config: options, data, headers, status, statusText: String(status), ok: status < 300 } as never;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  };

  #request(options: gaxios.GaxiosOptionsPrepared): HttpRequest {
    const { url, headers, body, agent } = options;
    return {
      method: options.method ?? "GET",
      url,
      headers: Object.fromEntries(headers),
      ...(body === undefined || body === null ? {} : { body: bodyText(body) }),
      // Made by the SDK where the workload shows a certificate.
      ...(agent instanceof Agent ? { agent } : {}),
      // What is on the machine itself is never behind a proxy.
      isDirect: url.hostname === "169.254.169.254",
      signal: this.#signal,
    };
  }
}

function bodyText(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new PluginError("the auth SDK sent a body of an unknown form", { kind: "internal" });
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The SDK says what it misses.
    return undefined;
  }
}

function firstLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return (message.split("\n", 1)[0] ?? "").slice(0, 200);
}
