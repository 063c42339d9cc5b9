import { createHash } from "node:crypto";
import { isKind, PluginError, withRetry } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { Connection } from "./client.ts";
import { cloudPlatformScope, createTokenSource } from "./credentials.ts";
import type { GcsSession } from "./gcs-session.ts";
import { patience } from "./google-api.ts";
import { signBlob } from "./iam-credentials.ts";
import type { ImpersonatedAccount } from "./identity.ts";
import { signWithKey } from "./oauth.ts";
import type { TokenSource } from "./token-source.ts";

/** How a location's URLs are signed. */
export interface GcsSignerOptions {
  readonly connection: Connection;
  /** The location's own key, `serviceAccount`. */
  readonly serviceAccount: string | undefined;
  /** Of the IAM credentials API, where it is not the universe's. */
  readonly iamEndpoint: string | undefined;
}

/** Whoever may sign as an account: their tokens, in the order in which they are tried. */
interface Signature {
  readonly email: string;
  sign(text: string, call: Call): Promise<Buffer>;
}

const algorithm = "GOOG4-RSA-SHA256";
const maxTtlSeconds = 7 * 24 * 3600;

/**
 * Signs URLs for reading one object, in version 4 of the scheme: with the private key of the credentials, or, where they
 * hold none, with the key that Google keeps for the service account, through IAM.
 */
export class GcsSigner {
  readonly #options: GcsSignerOptions;
  readonly #impersonation: TokenSource | undefined;

  constructor(options: GcsSignerOptions) {
    this.#options = options;
    const { identity, transport, universeDomain, env } = options.connection;
    if (identity.kind === "impersonated")
      this.#impersonation = createTokenSource(identity.source, [cloudPlatformScope], {
        transport,
        env,
        universeDomain,
      });
  }

  async sign(session: GcsSession, key: string, ttlSeconds: number, call: Call): Promise<string> {
    const action = `sign a URL of object "${key}" in bucket "${session.bucket}"`;
    if (!(ttlSeconds >= 1 && ttlSeconds <= maxTtlSeconds))
      throw new PluginError(`${action}: the time to live must lie between a second and seven days`, {
        kind: "invalid-argument",
      });
    const path = `/${encodePath(session.bucket)}/${encodePath(key)}`;
    const endpoint = publicEndpoint(session.endpoint, this.#options.connection.universeDomain);
    const address = `${endpoint.href.replace(/\/$/, "")}${path}`;
    // An emulator that asks nobody who they are serves the plain address.
    if (this.#options.connection.identity.kind === "anonymous") return address;
    const signature = await this.#signature(action, call);
    const seconds = Math.floor(ttlSeconds);
    const request = { host: endpoint.host, path, email: signature.email, seconds, now: new Date() };
    const { query, text } = describeRequest(request);
    return `${address}?${query}&X-Goog-Signature=${(await signature.sign(text, call)).toString("hex")}`;
  }

  async #signature(action: string, call: Call): Promise<Signature> {
    const { connection, serviceAccount } = this.#options;
    const { identity } = connection;
    if (identity.kind === "service-account")
      return { email: identity.email, sign: async (text) => signWithKey(identity, text) };
    const own = connection.tokens(cloudPlatformScope);
    if (identity.kind === "impersonated" && (serviceAccount ?? identity.email) === identity.email)
      return this.#impersonatedSignature(identity, own);
    const email =
      serviceAccount ?? (identity.kind === "metadata" ? accountOf(await connection.metadataEmail(call)) : undefined);
    if (email === undefined)
      throw new PluginError(
        `${action}: the credentials hold no private key and name no service account; set the location's key serviceAccount`,
        { kind: "invalid-config" },
      );
    return { email, sign: async (text, inner) => await this.#signBy(own, email, [], text, inner) };
  }

  /** The account may be allowed to sign as itself, or its source as the account: as their roles were given. */
  #impersonatedSignature(identity: ImpersonatedAccount, own: TokenSource | undefined): Signature {
    const { email, delegates } = identity;
    return {
      email,
      sign: async (text, call) => {
        try {
          return await this.#signBy(own, email, [], text, call);
        } catch (error) {
          if (!isKind(error, "denied")) throw error;
          call.log.debug("the service account may not sign as itself: its source is tried", { email });
        }
        return await this.#signBy(this.#impersonation, email, delegates, text, call);
      },
    };
  }

  async #signBy(
    tokens: TokenSource | undefined,
    email: string,
    delegates: readonly string[],
    bytes: string,
    call: Call,
  ): Promise<Buffer> {
    const { transport } = this.#options.connection;
    const endpoint = this.#iamEndpoint();
    return await withRetry(patience, call, `sign as the service account "${email}"`, async () => {
      const token = (await tokens?.token(call.signal)) ?? "";
      return await signBlob(transport, { endpoint, email, delegates, token, bytes }, call.signal);
    });
  }

  #iamEndpoint(): string {
    const { iamEndpoint, connection } = this.#options;
    if (iamEndpoint !== undefined) return iamEndpoint.replace(/\/+$/, "");
    const { identity, universeDomain } = connection;
    return identity.kind === "impersonated" ? new URL(identity.url).origin : `https://iamcredentials.${universeDomain}`;
  }
}

/**
 * Where the server's command line reaches the store: the endpoint itself, but for one of Private Service Connect, whose name
 * is known inside of one network only while the public one is known everywhere.
 */
function publicEndpoint(endpoint: URL, universeDomain: string): URL {
  return endpoint.hostname.endsWith(`.p.${universeDomain}`) ? new URL(`https://storage.${universeDomain}`) : endpoint;
}

/** What is signed, and the query that says so: https://cloud.google.com/storage/docs/authentication/canonical-requests */
export function describeRequest(request: {
  readonly host: string;
  readonly path: string;
  readonly email: string;
  readonly seconds: number;
  readonly now: Date;
}): { readonly query: string; readonly text: string } {
  const { host, path, email, seconds, now } = request;
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/auto/storage/goog4_request`;
  const query = [
    ["X-Goog-Algorithm", algorithm],
    ["X-Goog-Credential", `${email}/${scope}`],
    ["X-Goog-Date", time],
    ["X-Goog-Expires", String(seconds)],
    ["X-Goog-SignedHeaders", "host"],
  ]
    .map(([name, value]) => `${name}=${encode(value ?? "")}`)
    .join("&");
  const canonical = ["GET", path, query, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  return { query, text: [algorithm, time, scope, hash].join("\n") };
}

/** Encodes a bucket or key for a URL's path, slashes kept. */
export function encodePath(name: string): string {
  return name.split("/").map(encode).join("/");
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (odd) => `%${odd.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A pod whose Kubernetes account is bound to no service account has the name of its pool for an address. */
function accountOf(email: string): string | undefined {
  return email.includes("@") ? email : undefined;
}
