import type { Accounts } from "../accounts.ts";
import { splitTarget } from "../http-listener.ts";
import { AuthError, findAccount, readClaim, sha256Hex, verifyClaim } from "../sigv4.ts";
import { invalidValue } from "./ec2-error.ts";
import type { Params } from "./params.ts";

/**
 * Checks the signed URL of a CopySnapshot, by which the destination region asks the source region in the caller's name.
 * EC2 demands one where the source is encrypted; one that is there must be right in any case.
 */
export function checkPresignedUrl(params: Params, isNeeded: boolean, accounts: Accounts, now: Date): void {
  const source = params.text("PresignedUrl");
  if (source === undefined || source === "") {
    if (isNeeded) throw invalidValue("A presigned URL is required for the copy of an encrypted snapshot.");
    return;
  }
  const url = URL.parse(source);
  if (url === null) throw invalidValue("The presigned URL is malformed.");
  const { rawPath, query } = splitTarget(url.pathname + url.search);
  const asked = new Map(query);
  // The JavaScript SDK signs the host without its port, which AWS never has.
  const request = { method: "GET", rawPath, query, headers: new Map([["host", url.hostname]]) };
  try {
    const claim = readClaim(request);
    const account = findAccount(claim, accounts, now);
    verifyClaim(request, claim, account, { now, payloadHash: sha256Hex("") });
    const isSame =
      asked.get("Action") === "CopySnapshot" &&
      claim.region === params.text("SourceRegion") &&
      asked.get("SourceSnapshotId") === params.text("SourceSnapshotId");
    if (!isSame) throw invalidValue("The presigned URL is that of another request.");
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw invalidValue(`The presigned URL is not valid: ${error.message}`);
  }
}
