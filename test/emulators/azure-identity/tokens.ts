import { generateKeyPairSync, randomUUID } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { parseJwt, signJwt, textClaim, timeClaim } from "../jwt.ts";

/** Who a token speaks for: an application of Entra, or a managed identity. */
export interface Principal {
  readonly tenantId: string;
  /** The object id: what roles are assigned to. */
  readonly objectId: string;
  /** The application id, which the SDKs call the client id. */
  readonly clientId: string;
}

/** A token that was accepted. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly audience: string;
  readonly expiresMs: number;
}

/** The audience of Azure Resource Manager in the public cloud. */
export const armAudience = "https://management.azure.com/";

/** The audience of Blob Storage; the same in every cloud. */
export const storageAudience = "https://storage.azure.com/";

/** Why a token is not accepted. */
export type TokenProblem = "malformed" | "signature" | "issuer" | "audience" | "not-yet-valid" | "expired";

/** Thrown for a token that is not accepted. */
export class TokenError extends Error {
  readonly problem: TokenProblem;

  constructor(problem: TokenProblem, message: string) {
    super(message);
    this.name = "TokenError";
    this.problem = problem;
  }
}

// What Entra gives is about an hour.
const defaultLifetimeMs = 3_600_000;

/** Issues and checks the access tokens of the stand-ins of Azure; those of another authority are not accepted. */
export class TokenAuthority {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #now: () => Date;

  constructor(options: { readonly now?: () => Date } = {}) {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
    this.#now = options.now ?? (() => new Date());
  }

  /** The public key as Entra would publish it below `discovery/v2.0/keys`. */
  get jwk(): Readonly<Record<string, unknown>> {
    return { ...this.#publicKey.export({ format: "jwk" }), use: "sig", kid: "stand-in" };
  }

  /** Issues a token. A negative lifetime makes one that has expired. */
  issue(principal: Principal, audience: string, lifetimeMs: number = defaultLifetimeMs): string {
    const nowSeconds = Math.floor(this.#now().getTime() / 1000);
    const expires = nowSeconds + Math.floor(lifetimeMs / 1000);
    const claims = {
      aud: audience,
      iss: issuerOf(principal.tenantId),
      iat: Math.min(nowSeconds, expires - 1),
      nbf: Math.min(nowSeconds, expires - 1),
      exp: expires,
      appid: principal.clientId,
      idtyp: "app",
      oid: principal.objectId,
      sub: principal.objectId,
      tid: principal.tenantId,
      uti: randomUUID(),
      ver: "1.0",
    };
    return signJwt(claims, this.#privateKey, { kid: "stand-in" });
  }

  /** Returns what an accepted token says; throws TokenError for any other. Audiences are compared without a slash at the end. */
  verify(token: string, audiences: readonly string[]): VerifiedToken {
    const parsed = parseJwt(token);
    if (parsed === undefined) throw new TokenError("malformed", "The access token is not a JSON web token.");
    if (!parsed.isSignedBy(this.#publicKey)) {
      throw new TokenError("signature", "The access token's signature is not that of its issuer.");
    }
    const { claims } = parsed;
    const tenantId = textClaim(claims, "tid");
    if (textClaim(claims, "iss") !== issuerOf(tenantId)) {
      throw new TokenError("issuer", "The access token is from the wrong issuer.");
    }
    const audience = textClaim(claims, "aud");
    if (!audiences.some((one) => trim(one) === trim(audience))) {
      throw new TokenError("audience", `The access token is for '${audience}', not for '${audiences.join("' or '")}'.`);
    }
    const expiresMs = timeClaim(claims, "exp") ?? 0;
    const nowMs = this.#now().getTime();
    if (nowMs < (timeClaim(claims, "nbf") ?? 0)) {
      throw new TokenError("not-yet-valid", "The access token is not valid yet.");
    }
    if (nowMs >= expiresMs) {
      throw new TokenError("expired", `The access token expired at ${new Date(expiresMs).toISOString()}.`);
    }
    const principal = { tenantId, objectId: textClaim(claims, "oid"), clientId: textClaim(claims, "appid") };
    return { principal, audience, expiresMs };
  }
}

/** Returns the issuer of a tenant's tokens, as those of version 1.0 name it. */
export function issuerOf(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

function trim(audience: string): string {
  return audience.replace(/\/+$/, "").toLowerCase();
}
