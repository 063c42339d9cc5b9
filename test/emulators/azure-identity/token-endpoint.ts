import { timingSafeEqual } from "node:crypto";

import { checkClientAssertion, jwtBearer } from "./client-assertion.ts";
import { principalOf, tenantsOf } from "./directory.ts";
import type { Application, Directory } from "./directory.ts";
import { EntraError } from "./entra-error.ts";
import type { TokenAuthority } from "./tokens.ts";

/** What the token endpoint works with. */
export interface TokenService {
  readonly directory: Directory;
  readonly tokens: TokenAuthority;
  readonly tokenLifetimeMs: number;
  readonly now: () => Date;
}

/** Where a token is asked for. */
export interface TokenEndpoint {
  readonly tenantId: string;
  /** The endpoint's own address, which an assertion must be made out to. */
  readonly url: string;
}

const armResources = [
  "https://management.azure.com",
  "https://management.core.windows.net",
  "https://management.chinacloudapi.cn",
  "https://management.core.chinacloudapi.cn",
  "https://management.usgovcloudapi.net",
  "https://management.core.usgovcloudapi.net",
];
const storageResource = /^https:\/\/(?:storage\.azure\.com|[a-z0-9]{3,24}\.blob\.core\.[a-z.]+)$/;

/** Answers a request for a token by the client credentials flow. */
export function answerTokenRequest(
  service: TokenService,
  endpoint: TokenEndpoint,
  form: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const grant = requireField(form, "grant_type");
  if (grant !== "client_credentials") {
    throw new EntraError("unsupported_grant_type", 70003, `The app requested an unsupported grant type '${grant}'.`);
  }
  const application = findApplication(service.directory, endpoint.tenantId, requireField(form, "client_id"));
  checkCredential(service, endpoint, application, form);
  const audience = readAudience(requireField(form, "scope"), endpoint.tenantId);
  const seconds = Math.floor(service.tokenLifetimeMs / 1000);
  return {
    token_type: "Bearer",
    expires_in: seconds,
    ext_expires_in: seconds,
    access_token: service.tokens.issue(principalOf(application, endpoint.tenantId), audience, service.tokenLifetimeMs),
  };
}

/** Tells whether something is a resource that tokens are issued for. */
export function isKnownResource(resource: string): boolean {
  const plain = resource.replace(/\/+$/, "").toLowerCase();
  return armResources.includes(plain) || storageResource.test(plain);
}

function findApplication(directory: Directory, tenantId: string, clientId: string): Application {
  if (!directory.hasTenant(tenantId)) {
    throw new EntraError(
      "invalid_request",
      90002,
      `Tenant '${tenantId}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
    );
  }
  const application = directory.application(clientId);
  if (application === undefined || !tenantsOf(application).includes(tenantId.toLowerCase())) {
    throw new EntraError(
      "unauthorized_client",
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`,
    );
  }
  if (application.isDisabled !== true) return application;
  throw new EntraError("unauthorized_client", 7000112, `Application '${clientId}' is disabled.`);
}

function checkCredential(
  service: TokenService,
  endpoint: TokenEndpoint,
  application: Application,
  form: ReadonlyMap<string, string>,
): void {
  const secret = form.get("client_secret");
  const assertion = form.get("client_assertion");
  if (secret !== undefined) {
    checkSecret(application, secret, service.now());
    return;
  }
  if (assertion === undefined) {
    throw new EntraError(
      "invalid_client",
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  }
  const type = requireField(form, "client_assertion_type");
  if (type !== jwtBearer) {
    throw new EntraError("invalid_request", 50027, `The client assertion type '${type}' is not supported.`);
  }
  checkClientAssertion(assertion, application, endpoint.url, service.now());
}

function checkSecret(application: Application, given: string, now: Date): void {
  const { clientId } = application;
  const found = (application.secrets ?? [])
    .map((secret) => (typeof secret === "string" ? { value: secret, expires: undefined } : secret))
    .find((secret) => isSame(secret.value, given));
  if (found === undefined) {
    throw new EntraError(
      "invalid_client",
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
    );
  }
  if (found.expires === undefined || found.expires > now) return;
  throw new EntraError("invalid_client", 7000222, `The provided client secret keys for app '${clientId}' are expired.`);
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function readAudience(scope: string, tenantId: string): string {
  // The SDKs add these to every request; for an application they mean nothing.
  const scopes = scope.split(" ").filter((one) => !["openid", "profile", "offline_access", ""].includes(one));
  const [only, ...more] = scopes;
  const resource = /^(.+)\/\.default$/.exec(only ?? "")?.[1];
  if (resource === undefined || more.length > 0) {
    throw new EntraError(
      "invalid_scope",
      1002012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
    );
  }
  if (isKnownResource(resource)) return resource;
  throw new EntraError(
    "invalid_resource",
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${tenantId}.`,
  );
}

function requireField(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name);
  if (value !== undefined && value !== "") return value;
  const message = `The request body must contain the following parameter: '${name}'.`;
  throw new EntraError("invalid_request", 900144, message);
}
