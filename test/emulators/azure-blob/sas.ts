import { BlobError } from "./blob-error.ts";
import type { Authorization } from "./call.ts";
import { accountSasText, delegationSasText, serviceSasText } from "./sas-text.ts";
import { authenticationFailed, isSignedBy, isSignedWith } from "./shared-key.ts";
import { roleOf } from "./state.ts";
import type { BlobState, DataRole, StorageAccount } from "./state.ts";

/** A request that carries a shared access signature. */
export interface SasRequest {
  readonly container: string | undefined;
  readonly blob: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly isSecure: boolean;
  readonly remoteAddress: string;
  /** What kind of thing the operation works on: `s`, `c` or `o`. */
  readonly resourceType: string;
}

type SasAuthorization = Extract<Authorization, { kind: "sas" }>;

// What each role lets a SAS do that the principal delegated.
const rolePermissions: Readonly<Record<DataRole, string>> = {
  owner: "racwdxytlmeopi",
  contributor: "racwdxylmeopi",
  reader: "rl",
  delegator: "",
  none: "",
};

/** Checks a shared access signature of any kind and returns what it permits. */
export function checkSas(request: SasRequest, account: StorageAccount, state: BlobState, now: Date): SasAuthorization {
  const { query } = request;
  for (const name of ["sv", "sig"]) {
    if (!query.has(name)) throw authenticationFailed(`${name} is mandatory. Cannot be empty`);
  }
  const permissions = query.has("ss")
    ? checkAccountSas(request, account)
    : checkServiceSas(request, account, state, now);
  checkTimes(query.get("st"), query.get("se"), now);
  checkProtocol(query.get("spr"), request.isSecure);
  checkAddress(query.get("sip"), request.remoteAddress);
  return { kind: "sas", permissions: new Set(permissions), encryptionScope: query.get("ses") };
}

function checkAccountSas(request: SasRequest, account: StorageAccount): string {
  const { query } = request;
  if (account.allowsSharedKey === false) throw new BlobError("KeyBasedAuthenticationNotPermitted");
  if (!isSignedBy(account, accountSasText(query, account.name), query.get("sig") ?? "")) throw badSignature(request);
  if (!(query.get("ss") ?? "").includes("b")) throw new BlobError("AuthorizationServiceMismatch");
  if (!(query.get("srt") ?? "").includes(request.resourceType))
    throw new BlobError("AuthorizationResourceTypeMismatch");
  return query.get("sp") ?? "";
}

function checkServiceSas(request: SasRequest, account: StorageAccount, state: BlobState, now: Date): string {
  const { query, container, blob } = request;
  if (container === undefined) throw new BlobError("AuthorizationFailure");
  const resource = query.get("sr") ?? "";
  const needed: Readonly<Record<string, string | undefined>> = { bs: "snapshot", bv: "versionid" };
  if (!["b", "c", "bs", "bv"].includes(resource)) throw authenticationFailed(`sr is not valid: '${resource}'`);
  const time = needed[resource];
  if (time !== undefined && !query.has(time)) throw badSignature(request);
  checkServiceSignature({ ...request, container }, account, state, now);
  if (resource !== "c" && blob === undefined) throw new BlobError("AuthorizationFailure");
  return delegatedPermissions(query, account);
}

function checkServiceSignature(
  request: SasRequest & { readonly container: string },
  account: StorageAccount,
  state: BlobState,
  now: Date,
): void {
  const { query } = request;
  const signature = query.get("sig") ?? "";
  const subject = { ...request, account: account.name };
  if (query.has("skoid")) {
    const key = checkDelegationKey(query, state, now);
    if (!isSignedWith(key, delegationSasText(subject), signature)) throw badSignature(request);
    return;
  }
  if (account.allowsSharedKey === false) throw new BlobError("KeyBasedAuthenticationNotPermitted");
  // Stored access policies belong to Set Container ACL, which the stand-in does not have: no identifier is known.
  const policy = query.get("si");
  if (policy !== undefined) throw authenticationFailed(`The access policy '${policy}' does not exist.`);
  if (!isSignedBy(account, serviceSasText(subject), signature)) throw badSignature(request);
}

function checkDelegationKey(query: ReadonlyMap<string, string>, state: BlobState, now: Date): string {
  const facts = ["skoid", "sktid", "skt", "ske", "sks", "skv"].map((name) => query.get(name) ?? "");
  checkTimes(query.get("skt"), query.get("ske"), now);
  return state.delegationKey(facts);
}

function delegatedPermissions(query: ReadonlyMap<string, string>, account: StorageAccount): string {
  const asked = query.get("sp") ?? "";
  const principal = query.get("skoid");
  if (principal === undefined) return asked;
  const held = rolePermissions[roleOf(account, principal)];
  return asked
    .split("")
    .filter((letter) => held.includes(letter))
    .join("");
}

function badSignature(request: SasRequest): BlobError {
  return authenticationFailed(`Signature did not match: '${request.query.get("sig") ?? ""}'`);
}

function checkTimes(start: string | undefined, end: string | undefined, now: Date): void {
  const from = start === undefined ? -Infinity : Date.parse(start);
  const until = end === undefined ? Number.NaN : Date.parse(end);
  if (Number.isNaN(from) || Number.isNaN(until)) {
    throw authenticationFailed(`Signed time is not valid: '${start ?? ""}' - '${end ?? ""}'`);
  }
  if (now.getTime() >= from && now.getTime() < until) return;
  throw authenticationFailed(
    `Signature not valid in the specified time frame: Start [${start ?? ""}] - Expiry [${end ?? ""}] - Current [${now.toUTCString()}]`,
  );
}

function checkProtocol(protocols: string | undefined, isSecure: boolean): void {
  if (protocols === undefined) return;
  if (!/^(https|https,http|http,https)$/.test(protocols))
    throw authenticationFailed(`spr is not valid: '${protocols}'`);
  if (!isSecure && protocols === "https") throw new BlobError("AuthorizationProtocolMismatch");
}

function checkAddress(range: string | undefined, address: string): void {
  if (range === undefined) return;
  const [first = "", last = first] = range.split("-").map((one) => one.trim());
  const given = addressNumber(address);
  if (given >= addressNumber(first) && given <= addressNumber(last)) return;
  throw new BlobError("AuthorizationSourceIPMismatch", { SourceIP: address });
}

function addressNumber(address: string): number {
  const parts = address.replace(/^::ffff:/, "").split(".");
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}
