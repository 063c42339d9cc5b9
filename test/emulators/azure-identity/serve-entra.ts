import { InjectedError } from "../fault-body.ts";
import type { RequestFacts } from "../faults.ts";
import { splitTarget } from "../http-listener.ts";
import type { WholeRequest } from "../whole-request.ts";
import { EntraError, writeEntraError } from "./entra-error.ts";
import { factsOf, json } from "./json-answer.ts";
import type { Handlers } from "./json-answer.ts";
import { answerTokenRequest } from "./token-endpoint.ts";
import type { TokenService } from "./token-endpoint.ts";

/** Entra: tokens and the documents by which the SDKs find where to ask for them. */
export function entraService(service: TokenService): Handlers {
  return {
    describe: (request) => factsOf(request, entraOperation(request)),
    answer: (request, facts) => json(200, answerEntra(service, request, facts)),
    refuse: (error) => {
      if (error instanceof InjectedError) {
        return json(error.status, { error: error.code, error_description: error.message }, error.headers);
      }
      const known = error instanceof EntraError ? error : new EntraError("invalid_request", 90033, String(error));
      return json(known.status, writeEntraError(known, service.now()));
    },
  };
}

function entraOperation({ method, rawPath }: WholeRequest): string {
  if (method === "POST" && /^\/[^/]+\/oauth2\/v2\.0\/token$/.test(rawPath)) return "Entra_Token";
  if (method !== "GET") return "Entra_Unknown";
  if (/^\/[^/]+\/v2\.0\/\.well-known\/openid-configuration$/.test(rawPath)) return "Entra_OpenIdConfiguration";
  if (/^\/[^/]+\/discovery\/v2\.0\/keys$/.test(rawPath)) return "Entra_Keys";
  return rawPath === "/common/discovery/instance" ? "Entra_InstanceDiscovery" : "Entra_Unknown";
}

function answerEntra(service: TokenService, request: WholeRequest, facts: RequestFacts): Record<string, unknown> {
  const authority = `https://${request.headers.get("host") ?? "localhost"}`;
  const tenantId = decodeURIComponent(request.rawPath.split("/")[1] ?? "");
  const url = `${authority}/${tenantId}/oauth2/v2.0/token`;
  switch (facts.operation) {
    case "Entra_Token": {
      const form = new Map(splitTarget(`?${request.body.toString("utf8")}`).query);
      return answerTokenRequest(service, { tenantId, url }, form);
    }
    case "Entra_OpenIdConfiguration":
      return writeOpenIdConfiguration(service, authority, tenantId);
    case "Entra_Keys":
      return { keys: [service.tokens.jwk] };
    case "Entra_InstanceDiscovery":
      return discoverInstance(facts.query, authority);
    default:
      throw new EntraError("invalid_request", 900561, "The endpoint does not exist or does not accept the method.");
  }
}

function writeOpenIdConfiguration(service: TokenService, authority: string, tenantId: string): Record<string, unknown> {
  if (!service.directory.hasTenant(tenantId)) {
    throw new EntraError("invalid_request", 90002, `Tenant '${tenantId}' not found.`);
  }
  return {
    token_endpoint: `${authority}/${tenantId}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${authority}/${tenantId}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${authority}/${tenantId}/v2.0`,
    authorization_endpoint: `${authority}/${tenantId}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${authority}/${tenantId}/oauth2/v2.0/devicecode`,
    tenant_region_scope: null,
  };
}

function discoverInstance(query: ReadonlyMap<string, string>, authority: string): Record<string, unknown> {
  const asked = query.get("authorization_endpoint") ?? "";
  if (!asked.startsWith(`${authority}/`)) {
    throw new EntraError("invalid_instance", 50049, `Unknown or invalid instance.`);
  }
  const host = new URL(authority).host;
  return {
    tenant_discovery_endpoint: asked.replace(/\/oauth2\/v2\.0\/authorize$/, "/v2.0/.well-known/openid-configuration"),
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}
