import { GoogleTokenError, storageDemand } from "../google-identity/tokens.ts";
import type { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsError } from "./gcs-error.ts";
import { describeDenial } from "./permissions.ts";
import { checkSignedUrlV2 } from "./signed-url-v2.ts";
import { checkSignedUrlV4 } from "./signed-url-v4.ts";

/** What authentication looks at. */
export interface Unproven {
  readonly method: string;
  readonly rawPath: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: ReadonlyMap<string, string>;
  readonly isXml: boolean;
  /** What the request needs, for the words of a refusal. */
  readonly permission: string;
}

const readOnlyScope = "https://www.googleapis.com/auth/devstorage.read_only";
const readPermissions = ["storage.objects.get", "storage.objects.list"];

/** Returns who asks, by a bearer token, or by the signature of a URL of the XML API. */
export function authenticate(request: Unproven, tokens: GoogleTokens, now: Date): string {
  const query = new Map(request.query);
  if (request.isXml && query.has("X-Goog-Signature")) return checkSignedUrlV4(request, tokens, now);
  if (request.isXml && query.has("GoogleAccessId")) return checkSignedUrlV2(request, tokens, now);
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (token === undefined) throw anonymous(request.permission);
  const isRead = readPermissions.includes(request.permission);
  const scopes = isRead ? [...storageDemand.scopes, readOnlyScope] : storageDemand.scopes;
  try {
    return tokens.verify(token, { ...storageDemand, scopes }).member;
  } catch (error) {
    if (!(error instanceof GoogleTokenError)) throw error;
    if (error.problem === "scope") {
      throw new GcsError(403, "forbidden", "Provided scope(s) are not authorized", { xmlCode: "AccessDenied" });
    }
    throw new GcsError(401, "authError", "Invalid Credentials", {
      locationType: "header",
      location: "Authorization",
      headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
      xmlCode: "AuthenticationRequired",
    });
  }
}

function anonymous(permission: string): GcsError {
  return new GcsError(401, "required", describeDenial("Anonymous caller", permission), {
    locationType: "header",
    location: "Authorization",
    headers: { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' },
    xmlCode: "AuthenticationRequired",
  });
}
