import { constants, createSign, createVerify } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** What a token says; the values are whatever its issuer put there. */
export type Claims = Readonly<Record<string, unknown>>;

/** A token taken apart; nothing about it is checked yet. */
export interface ParsedJwt {
  readonly header: Claims;
  readonly claims: Claims;
  /** Tells whether the signature is that of the key. */
  isSignedBy(key: KeyObject): boolean;
}

/** Signs claims with RS256. */
export function signJwt(claims: Claims, key: KeyObject, header: Claims = {}): string {
  const encode = (part: Claims): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ typ: "JWT", alg: "RS256", ...header })}.${encode(claims)}`;
  return `${signed}.${createSign("sha256").update(signed).sign(key, "base64url")}`;
}

/** Takes a token apart; undefined where it is none. */
export function parseJwt(token: string): ParsedJwt | undefined {
  const [head, body, signature, ...more] = token.split(".");
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) return undefined;
  // Anything beyond it, a line's end too, makes it no token: Node's decoder would pass over that.
  if (!/^[\w-]*$/.test(signature)) return undefined;
  const header = decode(head);
  const claims = decode(body);
  if (header === undefined || claims === undefined) return undefined;
  return { header, claims, isSignedBy: (key) => isSignedBy(header, `${head}.${body}`, signature, key) };
}

/** Returns a claim that is a text, "" where it is absent or something else. */
export function textClaim(claims: Claims, name: string): string {
  const value = claims[name];
  return typeof value === "string" ? value : "";
}

/** Returns a claim that is a time in milliseconds; undefined where it is absent or something else. */
export function timeClaim(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  return typeof value === "number" ? value * 1000 : undefined;
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isSignedBy(header: Claims, signed: string, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, "base64url");
  const verifier = createVerify("sha256").update(signed);
  if (header["alg"] === "RS256") return verifier.verify(key, bytes);
  if (header["alg"] !== "PS256") return false;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verifier.verify({ key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, bytes);
}
