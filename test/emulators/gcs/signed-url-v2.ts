import { createVerify } from "node:crypto";

import type { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsError } from "./gcs-error.ts";
import { expiredToken, signatureMismatch } from "./signed-url-v4.ts";
import type { SignedRequest } from "./signed-url-v4.ts";

/** Checks a URL that was signed by the V2 process and returns the service account that signed it. */
export function checkSignedUrlV2(request: SignedRequest, tokens: GoogleTokens, now: Date): string {
  const query = new Map(request.query);
  const email = query.get("GoogleAccessId") ?? "";
  const expires = query.get("Expires") ?? "";
  const signature = query.get("Signature") ?? "";
  if (!/^\d+$/.test(expires) || signature === "") {
    const message = "Your request has a malformed header or parameter: Expires or Signature.";
    throw new GcsError(400, "invalid", message, { xmlCode: "InvalidSecurity" });
  }
  const { headers } = request;
  const text = [
    request.method,
    headers.get("content-md5") ?? "",
    request.method === "PUT" ? (headers.get("content-type") ?? "") : "",
    expires,
    extensionHeaders(headers) + request.rawPath,
  ].join("\n");
  const keys = tokens.directory.verificationKeys(email);
  const isGood = keys.some((key) => createVerify("sha256").update(text).verify(key, signature, "base64"));
  if (!isGood) throw signatureMismatch(text);
  const expiresMs = Number(expires) * 1000;
  if (now.getTime() >= expiresMs) throw expiredToken(new Date(expiresMs));
  return email;
}

// All headers of the service count, except the customer's key, which is a secret that no URL may carry.
function extensionHeaders(headers: ReadonlyMap<string, string>): string {
  const own = [...headers].filter(([name]) => name.startsWith("x-goog-") && !/-encryption-key(-sha256)?$/.test(name));
  return own
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim().replaceAll(/\s+/g, " ")}\n`)
    .join("");
}
