import type { OpenContext } from "@flotilla/sdk/plugin";
import { fetchImpersonatedToken } from "./iam-credentials.ts";
import type { Identity, ImpersonatedAccount, ServiceAccountKey } from "./identity.ts";
import { MetadataServer } from "./metadata-server.ts";
import { fetchServiceAccountToken, fetchUserToken, selfSignedToken } from "./oauth.ts";
import { TokenSource } from "./token-source.ts";
import type { FetchToken } from "./token-source.ts";
import type { Transport } from "./transport.ts";

/** What tokens are fetched with. */
export interface TokenOptions {
  readonly transport: Transport;
  readonly env: OpenContext["env"];
  readonly universeDomain: string;
}

/** The domain of Google's public cloud. */
export const publicUniverse = "googleapis.com";

/** The scope that every API takes, IAM's included. */
export const cloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

/** A source of tokens of an identity; undefined for nobody. Makes no request. */
export function createTokenSource(
  identity: Identity,
  scopes: readonly string[],
  options: TokenOptions,
): TokenSource | undefined {
  const fetch = fetcherOf(identity, scopes, options);
  return fetch === undefined ? undefined : new TokenSource(fetch);
}

function fetcherOf(identity: Identity, scopes: readonly string[], options: TokenOptions): FetchToken | undefined {
  const { transport, env } = options;
  if (identity.kind === "service-account") return serviceAccountFetcher(identity, scopes, options);
  if (identity.kind === "user") return async (signal) => await fetchUserToken(transport, identity, signal);
  if (identity.kind === "impersonated") return impersonatedFetcher(identity, scopes, options);
  if (identity.kind === "metadata") {
    const server = new MetadataServer(transport, env["GCE_METADATA_HOST"]);
    return async (signal) => await server.token(scopes, signal);
  }
  if (identity.kind === "anonymous") return undefined;
  return async (signal) => {
    const { externalAccountFetcher } = await import("./external-account.ts");
    return await externalAccountFetcher(transport, identity, { scopes, env })(signal);
  };
}

function impersonatedFetcher(
  identity: ImpersonatedAccount,
  scopes: readonly string[],
  options: TokenOptions,
): FetchToken {
  // The source's tokens must be good for IAM, whatever the target's are for.
  const source = createTokenSource(identity.source, [cloudPlatformScope], options);
  return async (signal) => {
    const token = (await source?.token(signal)) ?? "";
    return await fetchImpersonatedToken(options.transport, identity, token, scopes, signal);
  };
}

function serviceAccountFetcher(
  identity: ServiceAccountKey,
  scopes: readonly string[],
  { transport, universeDomain }: TokenOptions,
): FetchToken {
  if (universeDomain !== publicUniverse) return async () => selfSignedToken(identity, scopes);
  return async (signal) => await fetchServiceAccountToken(transport, identity, scopes, signal);
}
