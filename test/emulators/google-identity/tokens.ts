import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import { parseJwt, textClaim, timeClaim } from "../jwt.ts";
import type { ParsedJwt } from "../jwt.ts";
import { GoogleDirectory } from "./directory.ts";

/** A token that was accepted. */
export interface VerifiedGoogleToken {
  /** Who asks: a service account's or user's e-mail address, or `principal://…` of a federated identity. */
  readonly member: string;
  readonly scopes: readonly string[];
  readonly expiresMs: number;
}

/** Why a token is not accepted. */
export type GoogleTokenProblem = "malformed" | "signature" | "audience" | "expired" | "scope";

/** Thrown for a token that is not accepted. */
export class GoogleTokenError extends Error {
  readonly problem: GoogleTokenProblem;

  constructor(problem: GoogleTokenProblem, message: string) {
    super(message);
    this.name = "GoogleTokenError";
    this.problem = problem;
  }
}

/** What a service asks of a token. */
export interface TokenDemand {
  /** One of these must have been granted. */
  readonly scopes: readonly string[];
  /** What a JWT must be made out to that a service account signed in place of asking for a token. */
  readonly audiences: readonly string[];
}

/** The scope that every API takes. */
export const cloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

/** What Cloud Storage asks of a token to read and write; `audiences` also in another universe. */
export const storageDemand: TokenDemand = {
  scopes: [
    cloudPlatformScope,
    "https://www.googleapis.com/auth/devstorage.read_write",
    "https://www.googleapis.com/auth/devstorage.full_control",
  ],
  audiences: ["https://storage.googleapis.com/"],
};

/** What Compute Engine asks of a token. */
export const computeDemand: TokenDemand = {
  scopes: [cloudPlatformScope, "https://www.googleapis.com/auth/compute"],
  audiences: ["https://compute.googleapis.com/", "https://www.googleapis.com/"],
};

const prefix = "ya29.";
const maxJwtLifetimeMs = 3_600_000;
// Clocks differ; Google forgives a few minutes.
const clockSkewMs = 300_000;

/** Issues access tokens, and checks them and the JWTs that service accounts sign in their place. */
export class GoogleTokens {
  readonly directory: GoogleDirectory;
  readonly #secret = randomBytes(32);
  readonly #now: () => Date;

  constructor(options: { readonly directory?: GoogleDirectory; readonly now?: () => Date } = {}) {
    this.directory = options.directory ?? new GoogleDirectory();
    this.#now = options.now ?? (() => new Date());
  }

  /** Issues a token. A negative lifetime makes one that has expired. */
  issue(member: string, scopes: readonly string[] = [cloudPlatformScope], lifetimeMs: number = 3_600_000): string {
    const expiresMs = this.#now().getTime() + lifetimeMs;
    const facts = { member, scopes, expiresMs, nonce: randomBytes(6).toString("hex") };
    const body = Buffer.from(JSON.stringify(facts)).toString("base64url");
    // To a client an access token is opaque; dots would make it look like a JWT.
    return `${prefix}${body}-${this.#seal(body)}`;
  }

  /** Returns what an accepted token says; throws GoogleTokenError for any other. */
  verify(token: string, demand: TokenDemand): VerifiedGoogleToken {
    const verified = token.startsWith(prefix) ? this.#verifyIssued(token) : this.#verifySelfSigned(token, demand);
    if (verified.expiresMs <= this.#now().getTime()) {
      throw new GoogleTokenError(
        "expired",
        `The access token expired at ${new Date(verified.expiresMs).toISOString()}.`,
      );
    }
    if (verified.scopes.some((scope) => demand.scopes.includes(scope))) return verified;
    throw new GoogleTokenError("scope", "Request had insufficient authentication scopes.");
  }

  /** Checks the signature and the times of a JWT of a service account; throws GoogleTokenError. */
  verifyJwt(jwt: ParsedJwt): VerifiedGoogleToken {
    const { claims, header } = jwt;
    const member = textClaim(claims, "iss");
    const keys = this.directory.verificationKeys(member, textClaim(header, "kid"));
    if (!keys.some((key) => jwt.isSignedBy(key))) {
      throw new GoogleTokenError("signature", "Invalid JWT Signature.");
    }
    const issuedMs = timeClaim(claims, "iat") ?? 0;
    const expiresMs = timeClaim(claims, "exp") ?? 0;
    const nowMs = this.#now().getTime();
    const isShort = expiresMs > issuedMs && expiresMs - issuedMs <= maxJwtLifetimeMs;
    if (!isShort || expiresMs <= nowMs || issuedMs > nowMs + clockSkewMs) {
      throw new GoogleTokenError(
        "expired",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
      );
    }
    const scopes = textClaim(claims, "scope")
      .split(" ")
      .filter((scope) => scope !== "");
    return { member, scopes, expiresMs };
  }

  #verifyIssued(token: string): VerifiedGoogleToken {
    const [, body = "", seal = ""] = /^ya29\.(.+)-([0-9a-f]{64})$/.exec(token) ?? [];
    const expected = this.#seal(body);
    if (seal.length !== expected.length || !timingSafeEqual(Buffer.from(seal), Buffer.from(expected))) {
      throw new GoogleTokenError("signature", "The access token is not one that was issued.");
    }
    // Written by issue() only, as the seal proves.
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as VerifiedGoogleToken;
  }

  #verifySelfSigned(token: string, demand: TokenDemand): VerifiedGoogleToken {
    const jwt = parseJwt(token);
    if (jwt === undefined) throw new GoogleTokenError("malformed", "The token is neither issued nor a JSON web token.");
    const verified = this.verifyJwt(jwt);
    if (textClaim(jwt.claims, "sub") !== verified.member) {
      throw new GoogleTokenError("malformed", "The JWT's subject is not its issuer.");
    }
    const audience = textClaim(jwt.claims, "aud");
    if (audience === "") return verified;
    if (!demand.audiences.includes(audience)) {
      throw new GoogleTokenError(
        "audience",
        `The JWT is for '${audience}', not for '${demand.audiences.join("' or '")}'.`,
      );
    }
    // With an audience the JWT is good for that API as a whole.
    return { ...verified, scopes: demand.scopes };
  }

  #seal(body: string): string {
    return createHmac("sha256", this.#secret).update(body).digest("hex");
  }
}
