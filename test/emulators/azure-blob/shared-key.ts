import { createHmac, timingSafeEqual } from "node:crypto";

import { BlobError } from "./blob-error.ts";
import type { StorageAccount } from "./state.ts";

/** The parts of a request that its signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** As it came over the wire, still encoded. */
  readonly rawPath: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: ReadonlyMap<string, string>;
}

const maxSkewMs = 15 * 60_000;

/** Checks a request that is signed with an account key. */
export function checkSharedKey(
  request: SignedRequest,
  account: StorageAccount,
  authorization: string,
  now: Date,
): void {
  if (account.allowsSharedKey === false) throw new BlobError("KeyBasedAuthenticationNotPermitted");
  const match = /^SharedKey ([^:]+):(.+)$/.exec(authorization);
  if (match === null) throw new BlobError("InvalidAuthenticationInfo");
  const [, name = "", signature = ""] = match;
  if (name !== account.name) throw authenticationFailed(`The account named in the credentials is not ${account.name}.`);
  checkDate(request.headers, now);
  const forms = [compareAsDocumented, compareAsDotNet].map((compare) => stringToSign(request, account.name, compare));
  if (forms.some((text) => isSignedBy(account, text, signature))) return;
  throw authenticationFailed(
    `The MAC signature found in the HTTP request '${signature}' is not the same as any computed signature. Server used following string to sign: '${forms[0] ?? ""}'.`,
  );
}

/** Tells whether a text is signed with a key of the account. */
export function isSignedBy(account: Pick<StorageAccount, "keys">, text: string, signature: string): boolean {
  return account.keys.some((key) => isSignedWith(key, text, signature));
}

/** Tells whether a text is signed with a key. */
export function isSignedWith(key: string, text: string, signature: string): boolean {
  const computed = createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
  // As text: base64 with something behind its end would decode to the same bytes.
  return signature.length === computed.length && timingSafeEqual(Buffer.from(signature), Buffer.from(computed));
}

/** Returns the error of a request whose proof is not good. */
export function authenticationFailed(detail: string): BlobError {
  return new BlobError("AuthenticationFailed", { AuthenticationErrorDetail: detail });
}

function checkDate(headers: ReadonlyMap<string, string>, now: Date): void {
  const text = headers.get("x-ms-date") ?? headers.get("date");
  if (text === undefined) throw authenticationFailed("The Date header in the request is missing.");
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw authenticationFailed(`The Date header in the request is incorrect: '${text}'.`);
  if (Math.abs(now.getTime() - time) <= maxSkewMs) return;
  throw authenticationFailed(`Request date header too old: '${text}'`);
}

function stringToSign(request: SignedRequest, account: string, compare: (a: string, b: string) => number): string {
  const { headers } = request;
  const length = headers.get("content-length") ?? "";
  const standard = [
    headers.get("content-encoding") ?? "",
    headers.get("content-language") ?? "",
    length === "0" ? "" : length,
    headers.get("content-md5") ?? "",
    headers.get("content-type") ?? "",
    headers.has("x-ms-date") ? "" : (headers.get("date") ?? ""),
    headers.get("if-modified-since") ?? "",
    headers.get("if-match") ?? "",
    headers.get("if-none-match") ?? "",
    headers.get("if-unmodified-since") ?? "",
    headers.get("range") ?? "",
  ];
  const own = [...headers]
    .filter(([name]) => name.startsWith("x-ms-"))
    .sort(([a], [b]) => compare(a, b))
    .map(([name, value]) => `${name}:${value.replaceAll(/\r?\n[ \t]+/g, " ").trim()}\n`);
  return `${[request.method, ...standard].join("\n")}\n${own.join("")}${canonicalResource(request, account)}`;
}

function canonicalResource(request: SignedRequest, account: string): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of request.query) {
    const known = values.get(name.toLowerCase()) ?? [];
    values.set(name.toLowerCase(), [...known, value]);
  }
  const lines = [...values]
    .sort(([a], [b]) => compareAsDocumented(a, b))
    .map(([name, list]) => `\n${name}:${list.sort(compareAsDocumented).join(",")}`);
  return `/${account}${request.rawPath}${lines.join("")}`;
}

function compareAsDocumented(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

// The service sorts header names as .NET sorts words, which looks at hyphens last; some SDKs do so too, others sort by
// code unit as the documentation says, and requests whose names make no difference are all that either has been seen to send.
function compareAsDotNet(a: string, b: string): number {
  return compareAsDocumented(a.replaceAll("-", ""), b.replaceAll("-", "")) || compareAsDocumented(a, b);
}
