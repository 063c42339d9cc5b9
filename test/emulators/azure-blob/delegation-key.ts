import { childText, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { Answer, Call } from "./call.ts";
import { receiveDocument } from "./body.ts";
import { authenticationFailed } from "./shared-key.ts";

const maxLifetimeMs = 7 * 24 * 3_600_000;

/** Get User Delegation Key: a key of its own with which a principal signs access for others. */
export async function getUserDelegationKey(call: Call): Promise<Answer> {
  const { authorization } = call;
  if (authorization.kind !== "token") throw authenticationFailed("Only authentication scheme Bearer is supported");
  const root = parseXml((await receiveDocument(call)).text);
  if (root.name !== "KeyInfo") throw new BlobError("InvalidXmlDocument");
  const now = call.now.getTime();
  const asked = childText(root, "Start");
  const start = asked === undefined ? now : timeOf(asked);
  const expiry = timeOf(requiredText(root, "Expiry"));
  if (expiry <= start || expiry <= now || start > now + maxLifetimeMs || expiry > now + maxLifetimeMs) {
    throw new BlobError("InvalidInput", { Reason: "A key is good for at most seven days from now." });
  }
  if (call.version < "2018-11-09") throw invalidHeader("x-ms-version", call.version);
  const { principal } = authorization;
  const facts = [principal.objectId, principal.tenantId, text(start), text(expiry), "b", call.version];
  const [oid, tid, signedStart, signedExpiry, service, version] = facts;
  return {
    body: document(
      element("UserDelegationKey", [
        leaf("SignedOid", oid),
        leaf("SignedTid", tid),
        leaf("SignedStart", signedStart),
        leaf("SignedExpiry", signedExpiry),
        leaf("SignedService", service),
        leaf("SignedVersion", version),
        leaf("Value", call.state.delegationKey(facts)),
      ]),
    ),
  };
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new BlobError("InvalidXmlDocument");
  return time;
}

function text(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
