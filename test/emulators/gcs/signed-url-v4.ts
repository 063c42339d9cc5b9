import { createHash, createVerify } from "node:crypto";

import type { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsError } from "./gcs-error.ts";

/** A request whose URL carries its proof. */
export interface SignedRequest {
  readonly method: string;
  readonly rawPath: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: ReadonlyMap<string, string>;
}

const algorithm = "GOOG4-RSA-SHA256";
const maxSeconds = 7 * 24 * 3600;
const clockSkewMs = 900_000;
const credentialForm = /^(.+)\/(\d{8})\/([^/]+)\/(storage)\/goog4_request$/;

/** Checks a URL that was signed by the V4 process and returns the service account that signed it. */
export function checkSignedUrlV4(request: SignedRequest, tokens: GoogleTokens, now: Date): string {
  const query = new Map(request.query);
  const field = (name: string): string => {
    const value = query.get(`X-Goog-${name}`);
    if (value !== undefined && value !== "") return value;
    throw malformed(`X-Goog-${name} is missing`);
  };
  if (field("Algorithm") !== algorithm) throw malformed(`X-Goog-Algorithm must be ${algorithm}`);
  const [, email, day] = credentialForm.exec(field("Credential")) ?? [];
  const date = field("Date");
  const signedMs = parseDate(date);
  if (email === undefined || day !== date.slice(0, 8)) throw malformed("X-Goog-Credential is not of the expected form");
  const seconds = Number(field("Expires"));
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxSeconds) {
    throw malformed(`X-Goog-Expires must be between 1 and ${maxSeconds}`);
  }
  checkTime(signedMs, seconds, now);
  const signedHeaders = field("SignedHeaders").split(";");
  if (!signedHeaders.includes("host")) throw malformed("X-Goog-SignedHeaders lacks host");
  const signature = Buffer.from(field("Signature"), "hex");
  const scope = field("Credential").slice(email.length + 1);
  const keys = tokens.directory.verificationKeys(email);
  const texts = hostsOf(request).map((host) => stringToSign(request, { signedHeaders, date, scope, host }));
  const isGood = texts.some((text) => keys.some((key) => createVerify("sha256").update(text).verify(key, signature)));
  if (!isGood) throw signatureMismatch(texts[0] ?? "");
  return email;
}

/** The error of a signature that is not that of what is asked for. */
export function signatureMismatch(text: string): GcsError {
  return new GcsError(
    403,
    "forbidden",
    "Access denied. The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method.",
    { xmlCode: "SignatureDoesNotMatch", headers: { "x-string-to-sign": encodeURIComponent(text) } },
  );
}

/** The error of a URL whose time is over. */
export function expiredToken(expired: Date): GcsError {
  const message = `The provided token has expired. Request signature expired at: ${expired.toISOString()}`;
  return new GcsError(400, "invalid", message, { xmlCode: "ExpiredToken" });
}

function checkTime(signedMs: number, seconds: number, now: Date): void {
  const nowMs = now.getTime();
  if (signedMs > nowMs + clockSkewMs) {
    throw new GcsError(403, "forbidden", "The request is not valid yet.", { xmlCode: "AccessDenied" });
  }
  const expiresMs = signedMs + seconds * 1000;
  if (nowMs >= expiresMs) throw expiredToken(new Date(expiresMs));
}

/** What clients sign as host: with the port as it is sent, or without, as Google's libraries do. */
function hostsOf({ headers }: SignedRequest): readonly string[] {
  const host = headers.get("host") ?? "";
  return [host, host.replace(/:\d+$/, "")];
}

function stringToSign(
  request: SignedRequest,
  signed: {
    readonly signedHeaders: readonly string[];
    readonly date: string;
    readonly scope: string;
    readonly host: string;
  },
): string {
  const query = request.query
    .filter(([name]) => name !== "X-Goog-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const headers = signed.signedHeaders.map((name) => {
    const value = name === "host" ? signed.host : (request.headers.get(name) ?? "");
    return `${name}:${value.trim().replaceAll(/\s+/g, " ")}\n`;
  });
  const canonical = [
    request.method,
    request.rawPath,
    query.join("&"),
    headers.join(""),
    signed.signedHeaders.join(";"),
    request.headers.get("x-goog-content-sha256") ?? "UNSIGNED-PAYLOAD",
  ].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  return [algorithm, signed.date, signed.scope, hash].join("\n");
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parseDate(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  const ms = match === null ? Number.NaN : Date.parse(date.replace(/^(.{4})(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (Number.isNaN(ms)) throw malformed("X-Goog-Date is not of the form YYYYMMDDTHHMMSSZ");
  return ms;
}

function malformed(detail: string): GcsError {
  const message = `The security policy of the URL is malformed: ${detail}.`;
  return new GcsError(400, "invalid", message, { xmlCode: "MalformedSecurityHeader" });
}
