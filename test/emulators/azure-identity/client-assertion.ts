import { X509Certificate } from "node:crypto";

import type { Application, FederatedCredential } from "./directory.ts";
import { EntraError } from "./entra-error.ts";
import { federatedAudience } from "./federated-issuer.ts";
import { parseJwt, textClaim, timeClaim } from "../jwt.ts";
import type { Claims, ParsedJwt } from "../jwt.ts";

/** The only type of assertion that Entra takes in place of a secret. */
export const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Checks what a client signed in place of sending a secret: itself with a certificate, or a cluster for it. */
export function checkClientAssertion(
  assertion: string,
  application: Application,
  tokenEndpoint: string,
  now: Date,
): void {
  const jwt = parseJwt(assertion);
  if (jwt === undefined) {
    throw new EntraError("invalid_request", 50027, "JWT token is invalid or malformed.");
  }
  checkTime(jwt.claims, now);
  const isOwn = sameId(textClaim(jwt.claims, "iss"), application.clientId);
  if (isOwn) checkCertificateAssertion(jwt, application, tokenEndpoint, now);
  else checkFederatedAssertion(jwt, application.federated ?? []);
}

function checkTime(claims: Claims, now: Date): void {
  const from = timeClaim(claims, "nbf") ?? 0;
  const until = timeClaim(claims, "exp") ?? 0;
  // Entra forgives clocks that differ by five minutes; only at the beginning is that needed here.
  if (now.getTime() >= from - 300_000 && now.getTime() < until) return;
  const time = (ms: number): string => new Date(ms).toISOString();
  throw new EntraError(
    "invalid_client",
    700024,
    `Client assertion is not within its valid time range. Current time: ${now.toISOString()}, assertion valid from ${time(from)}, expiry time of assertion ${time(until)}.`,
  );
}

function checkCertificateAssertion(jwt: ParsedJwt, application: Application, tokenEndpoint: string, now: Date): void {
  const { clientId } = application;
  const audience = textClaim(jwt.claims, "aud");
  if (audience !== tokenEndpoint) {
    throw new EntraError(
      "invalid_client",
      700023,
      `Client assertion audience claim does not match Realm issuer. Received: '${audience}', expected: '${tokenEndpoint}'.`,
    );
  }
  if (!sameId(textClaim(jwt.claims, "sub"), clientId)) {
    throw new EntraError("invalid_client", 700021, "Client assertion subject is not the application identifier.");
  }
  const certificate = (application.certificates ?? [])
    .map((pem) => new X509Certificate(pem))
    .find((one) => hasThumbprint(one, jwt.header));
  if (certificate === undefined || !jwt.isSignedBy(certificate.publicKey)) {
    throw new EntraError(
      "invalid_client",
      700027,
      `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Application '${clientId}'].`,
    );
  }
  if (new Date(certificate.validTo) <= now) {
    throw new EntraError(
      "invalid_client",
      700027,
      `The certificate used to sign the client assertion is expired. [Reason - The key used is expired., Application '${clientId}'].`,
    );
  }
}

function hasThumbprint(certificate: X509Certificate, header: Claims): boolean {
  const toBase64Url = (fingerprint: string): string =>
    Buffer.from(fingerprint.replaceAll(":", ""), "hex").toString("base64url");
  const sha256 = textClaim(header, "x5t#S256");
  if (sha256 !== "") return sha256 === toBase64Url(certificate.fingerprint256);
  return textClaim(header, "x5t") === toBase64Url(certificate.fingerprint);
}

function checkFederatedAssertion(jwt: ParsedJwt, credentials: readonly FederatedCredential[]): void {
  const issuer = textClaim(jwt.claims, "iss");
  const subject = textClaim(jwt.claims, "sub");
  const ofIssuer = credentials.filter((one) => one.issuer === issuer);
  if (ofIssuer.length === 0) throw noMatch(700211, "issuer", issuer);
  const ofSubject = ofIssuer.filter((one) => one.subject === subject);
  if (ofSubject.length === 0) throw noMatch(700213, "subject", subject);
  const audiences = [jwt.claims["aud"]].flat().map(String);
  const found = ofSubject.find((one) => audiences.includes(one.audience ?? federatedAudience));
  if (found === undefined) throw noMatch(700212, "audience", audiences.join(", "));
  if (!jwt.isSignedBy(found.publicKey)) {
    throw new EntraError(
      "invalid_client",
      50013,
      "Assertion failed signature validation. [Reason - The key was not found.]",
    );
  }
}

function noMatch(number: number, what: string, value: string): EntraError {
  const message = `No matching federated identity record found for presented assertion ${what} '${value}'.`;
  return new EntraError("invalid_client", number, message);
}

function sameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
