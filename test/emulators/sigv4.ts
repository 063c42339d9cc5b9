import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { Account, Accounts } from "./accounts.ts";
import { hasExpired } from "./accounts.ts";

/** Why a request was not authenticated; each service spells the reason with its own code. */
export type AuthReason =
  | "missing"
  | "malformed"
  | "malformed-query"
  | "unknown-key"
  | "wrong-token"
  | "expired-token"
  | "skewed"
  | "expired-url"
  | "unsigned-headers"
  | "signature";

/** A request that cannot be authenticated. */
export class AuthError extends Error {
  readonly reason: AuthReason;
  readonly details: Readonly<Record<string, string>>;

  constructor(reason: AuthReason, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "AuthError";
    this.reason = reason;
    this.details = details;
  }
}

/** What the signature covers, as it came over the wire. */
export interface SignableRequest {
  readonly method: string;
  /** The path as sent, still percent-encoded. */
  readonly rawPath: string;
  /** Decoded name and value pairs. */
  readonly query: readonly (readonly [string, string])[];
  /** Lower-case names; values joined by a comma when repeated. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The claims of a signed request before anything of them is believed. */
export interface Claim {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261123T083000Z` */
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  /** Seconds of validity of a signed URL; undefined when the signature is in the header. */
  readonly expiresSeconds: number | undefined;
}

const algorithm = "AWS4-HMAC-SHA256";
const maxSkewMs = 15 * 60 * 1000;
const maxExpirySeconds = 7 * 24 * 3600;

/** Reads the claim from the Authorization header or from the query; throws when there is none or it is malformed. */
export function readClaim(request: SignableRequest): Claim {
  const header = request.headers.get("authorization");
  const query = new Map(request.query);
  if (header !== undefined) return readHeaderClaim(header, request);
  if (query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature")) return readQueryClaim(query);
  throw new AuthError("missing", "Access Denied");
}

/** Finds the account of a claim and checks its session token; throws when there is none. */
export function findAccount(claim: Claim, accounts: Accounts, now: Date): Account {
  const account = accounts.find(claim.accessKeyId);
  if (account === undefined) {
    throw new AuthError("unknown-key", "The AWS Access Key Id you provided does not exist in our records.", {
      AWSAccessKeyId: claim.accessKeyId,
    });
  }
  if (account.sessionToken !== claim.sessionToken) {
    throw new AuthError("wrong-token", "The provided token is malformed or otherwise invalid.");
  }
  if (hasExpired(account, now)) throw new AuthError("expired-token", "The provided token has expired.");
  return account;
}

/** Checks date, signed headers and signature, and returns the signing key (which also signs the chunks of a body). */
export function verifyClaim(
  request: SignableRequest,
  claim: Claim,
  account: Account,
  options: { readonly now: Date; readonly payloadHash: string },
): Buffer {
  checkTime(claim, options.now);
  checkSignedHeaders(request, claim);
  const canonical = canonicalRequest(request, claim, options.payloadHash);
  const stringToSign = [algorithm, claim.timestamp, claim.scope, sha256Hex(canonical)].join("\n");
  const key = signingKey(account.secretAccessKey, claim);
  const expected = createHmac("sha256", key).update(stringToSign).digest();
  const given = Buffer.from(claim.signature, "hex");
  if (given.length === expected.length && timingSafeEqual(given, expected)) return key;
  throw new AuthError(
    "signature",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: stringToSign,
      SignatureProvided: claim.signature,
      CanonicalRequest: canonical,
    },
  );
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as the signature demands. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns the lower-case hex SHA-256 of a text. */
export function sha256Hex(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function readHeaderClaim(header: string, request: SignableRequest): Claim {
  const malformed = (what: string): AuthError =>
    new AuthError("malformed", `The authorization header is malformed; ${what}`);
  if (!header.startsWith(`${algorithm} `)) {
    throw new AuthError("malformed", "The authorization mechanism you have provided is not supported.");
  }
  const fields = new Map(
    header
      .slice(algorithm.length)
      .split(",")
      .map((field): [string, string] => {
        const at = field.indexOf("=");
        return [field.slice(0, at).trim(), field.slice(at + 1).trim()];
      }),
  );
  const credential = fields.get("Credential");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw malformed("Credential, SignedHeaders and Signature are all required.");
  }
  const timestamp = request.headers.get("x-amz-date") ?? basicFormat(request.headers.get("date"));
  if (timestamp === undefined) {
    throw new AuthError("missing", "AWS authentication requires a valid Date or x-amz-date header");
  }
  const scope = readScope(credential);
  if (scope === undefined) throw malformed("the Credential is not of the form key/date/region/service/aws4_request.");
  if (scope.day !== timestamp.slice(0, 8))
    throw malformed("Invalid credential date. Date is not the same as X-Amz-Date.");
  return {
    ...scope,
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    sessionToken: request.headers.get("x-amz-security-token"),
    expiresSeconds: undefined,
  };
}

function readQueryClaim(query: ReadonlyMap<string, string>): Claim {
  const malformed = (what: string): AuthError => new AuthError("malformed-query", what);
  const required = (name: string): string => {
    const value = query.get(name);
    if (value !== undefined && value !== "") return value;
    throw malformed(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  };
  if (required("X-Amz-Algorithm") !== algorithm) throw malformed("X-Amz-Algorithm only supports AWS4-HMAC-SHA256");
  const scope = readScope(required("X-Amz-Credential"));
  if (scope === undefined) throw malformed("Error parsing the X-Amz-Credential parameter.");
  const timestamp = required("X-Amz-Date");
  const expires = required("X-Amz-Expires");
  if (!/^\d+$/.test(expires)) throw malformed("X-Amz-Expires should be a number");
  if (Number(expires) > maxExpirySeconds) throw malformed("X-Amz-Expires must be less than a week (in seconds).");
  return {
    ...scope,
    signedHeaders: required("X-Amz-SignedHeaders").split(";"),
    signature: required("X-Amz-Signature"),
    timestamp,
    sessionToken: query.get("X-Amz-Security-Token"),
    expiresSeconds: Number(expires),
  };
}

function readScope(
  credential: string,
): Pick<Claim, "accessKeyId" | "day" | "region" | "service" | "scope"> | undefined {
  const [accessKeyId, day, region, service, last, ...more] = credential.split("/");
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined) return undefined;
  if (last !== "aws4_request" || more.length > 0 || !/^\d{8}$/.test(day)) return undefined;
  return { accessKeyId, day, region, service, scope: `${day}/${region}/${service}/${last}` };
}

function checkTime(claim: Claim, now: Date): void {
  const signedAt = parseTimestamp(claim.timestamp);
  if (signedAt === undefined) throw new AuthError("malformed", "X-Amz-Date must be in the ISO8601 Long Format");
  const ageMs = now.getTime() - signedAt.getTime();
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(ageMs) <= maxSkewMs) return;
    throw new AuthError("skewed", "The difference between the request time and the current time is too large.", {
      RequestTime: claim.timestamp,
      ServerTime: now.toISOString(),
      MaxAllowedSkewMilliseconds: String(maxSkewMs),
    });
  }
  if (ageMs < -maxSkewMs) throw new AuthError("expired-url", "Request is not valid yet");
  if (ageMs > claim.expiresSeconds * 1000) {
    throw new AuthError("expired-url", "Request has expired", {
      "X-Amz-Expires": String(claim.expiresSeconds),
      Expires: new Date(signedAt.getTime() + claim.expiresSeconds * 1000).toISOString(),
      ServerTime: now.toISOString(),
    });
  }
}

function checkSignedHeaders(request: SignableRequest, claim: Claim): void {
  const signed = new Set(claim.signedHeaders);
  const unsigned = [...request.headers.keys()].filter(
    (name) => (name === "host" || name.startsWith("x-amz-")) && !signed.has(name),
  );
  if (unsigned.length === 0) return;
  throw new AuthError("unsigned-headers", "There were headers present in the request which were not signed", {
    HeadersNotSigned: unsigned.join(", "),
  });
}

function canonicalRequest(request: SignableRequest, claim: Claim, payloadHash: string): string {
  const headers = claim.signedHeaders.map((name) => {
    const value = request.headers.get(name) ?? "";
    return `${name}:${value.trim().replaceAll(/ +/g, " ")}\n`;
  });
  const query = request.query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]): [string, string] => [encodeRfc3986(name), encodeRfc3986(value)])
    .toSorted(([a, av], [b, bv]) => compareText(a, b) || compareText(av, bv))
    .map(([name, value]) => `${name}=${value}`);
  return [
    request.method,
    canonicalPath(request.rawPath),
    query.join("&"),
    headers.join(""),
    claim.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

function canonicalPath(rawPath: string): string {
  return rawPath
    .split("/")
    .map((segment) => encodeRfc3986(decodeURIComponent(segment)))
    .join("/");
}

function signingKey(secret: string, claim: Claim): Buffer {
  let key = hmac(`AWS4${secret}`, claim.day);
  for (const part of [claim.region, claim.service, "aws4_request"]) key = hmac(key, part);
  return key;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function parseTimestamp(timestamp: string): Date | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(timestamp);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function basicFormat(httpDate: string | undefined): string | undefined {
  const time = httpDate === undefined ? Number.NaN : Date.parse(httpDate);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}
