import { principalOf } from "./directory.ts";
import type { ManagedIdentity } from "./directory.ts";
import { isKnownResource } from "./token-endpoint.ts";
import type { TokenService } from "./token-endpoint.ts";

/** A request for a token of the machine's own identity. */
export interface IdentityRequest {
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

/** What a managed identity endpoint answers. */
export interface IdentityAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Answers in place of the Instance Metadata Service of a virtual machine. */
export function answerImds(service: TokenService, request: IdentityRequest): IdentityAnswer {
  const refuse = (error: string, description: string): IdentityAnswer => ({
    status: 400,
    body: { error, error_description: description },
  });
  if (request.headers.get("metadata")?.toLowerCase() !== "true") {
    return refuse("invalid_request", "Required metadata header not specified");
  }
  if (request.headers.has("x-forwarded-for")) return refuse("invalid_request", "Proxied requests are not allowed");
  if (!request.query.has("api-version")) {
    return refuse("bad_request_102", "Required metadata parameter api-version not specified");
  }
  const resource = request.query.get("resource") ?? "";
  if (!isKnownResource(resource)) {
    const message = `AADSTS500011: The resource principal named ${resource} was not found in the tenant.`;
    return refuse("invalid_resource", message);
  }
  const found = choose(service.directory.managedIdentities, request.query, "msi_res_id");
  if (typeof found === "string") return refuse("invalid_request", found);
  const { token, seconds, expiresOn } = issue(service, found, resource);
  return {
    status: 200,
    body: {
      access_token: token,
      client_id: found.clientId,
      expires_in: String(seconds),
      expires_on: String(expiresOn),
      ext_expires_in: String(seconds),
      not_before: String(expiresOn - seconds),
      resource,
      token_type: "Bearer",
    },
  };
}

/** Answers in place of the identity endpoint of App Service; the header is the secret that the platform hands to the process. */
export function answerAppService(service: TokenService, request: IdentityRequest, header: string): IdentityAnswer {
  const refuse = (status: number, message: string): IdentityAnswer => ({
    status,
    body: { statusCode: status, message },
  });
  if (request.headers.get("x-identity-header") !== header) return refuse(403, "The identity header is wrong.");
  if (request.query.get("api-version") !== "2019-08-01") return refuse(400, "The api-version is not supported.");
  const resource = request.query.get("resource") ?? "";
  if (!isKnownResource(resource)) return refuse(400, `The resource '${resource}' is not known.`);
  const found = choose(service.directory.managedIdentities, request.query, "mi_res_id");
  if (typeof found === "string") return refuse(400, found);
  const { token, expiresOn } = issue(service, found, resource);
  return {
    status: 200,
    body: {
      access_token: token,
      client_id: found.clientId,
      expires_on: String(expiresOn),
      resource,
      token_type: "Bearer",
    },
  };
}

function choose(
  identities: readonly ManagedIdentity[],
  query: ReadonlyMap<string, string>,
  resourceIdName: string,
): ManagedIdentity | string {
  const asked: readonly [string | undefined, (one: ManagedIdentity) => string | undefined][] = [
    [query.get("client_id"), (one) => one.clientId],
    [query.get("object_id") ?? query.get("principal_id"), (one) => principalOf(one).objectId],
    [query.get(resourceIdName), (one) => one.resourceId],
  ];
  for (const [value, fieldOf] of asked) {
    if (value === undefined) continue;
    return identities.find((one) => fieldOf(one)?.toLowerCase() === value.toLowerCase()) ?? "Identity not found";
  }
  const system = identities.find((one) => one.resourceId === undefined);
  const [only, ...more] = identities;
  if (system !== undefined) return system;
  if (only === undefined) return "Identity not found";
  if (more.length === 0) return only;
  return "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request";
}

function issue(
  service: TokenService,
  identity: ManagedIdentity,
  resource: string,
): { readonly token: string; readonly seconds: number; readonly expiresOn: number } {
  const seconds = Math.floor(service.tokenLifetimeMs / 1000);
  return {
    token: service.tokens.issue(principalOf(identity), resource, service.tokenLifetimeMs),
    seconds,
    expiresOn: Math.floor(service.now().getTime() / 1000) + seconds,
  };
}
