import type { Account, Accounts } from "../accounts.ts";
import { AuthError, findAccount, readClaim, verifyClaim } from "../sigv4.ts";
import type { AuthReason, Claim, SignableRequest } from "../sigv4.ts";
import type { Address } from "./route.ts";
import { S3Error } from "./s3-error.ts";
import type { S3ErrorCode } from "./s3-error.ts";
import type { S3State } from "./state.ts";

/** Who sent a request. */
export interface Identity {
  readonly account: Account;
  readonly claim: Claim;
  readonly signingKey: Buffer;
}

/** Finds out who sent a request; throws the error that S3 would answer with. */
export function authenticate(
  request: SignableRequest,
  address: Address,
  state: S3State,
  accounts: Accounts,
  now: Date,
): Identity {
  try {
    const claim = readClaim(request);
    if (claim.service !== "s3") {
      throw malformed(claim, `incorrect service "${claim.service}". This endpoint belongs to "s3".`);
    }
    const account = findAccount(claim, accounts, now);
    checkRegion(claim, address, state);
    const payloadHash = readPayloadHash(request, claim);
    return { account, claim, signingKey: verifyClaim(request, claim, account, { now, payloadHash }) };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw new S3Error(codes[error.reason], error.message, { details: error.details });
  }
}

const codes: Readonly<Record<AuthReason, S3ErrorCode>> = {
  missing: "AccessDenied",
  malformed: "AuthorizationHeaderMalformed",
  "malformed-query": "AuthorizationQueryParametersError",
  "unknown-key": "InvalidAccessKeyId",
  "wrong-token": "InvalidToken",
  "expired-token": "ExpiredToken",
  skewed: "RequestTimeTooSkewed",
  "expired-url": "AccessDenied",
  "unsigned-headers": "AccessDenied",
  signature: "SignatureDoesNotMatch",
};

// A client that signs for another region was told the wrong one, or none. By path it reached that other region's
// endpoint, which redirects; by host name it reached the right one, which only refuses the signature.
function checkRegion(claim: Claim, address: Address, state: S3State): void {
  const bucket = address.bucket === undefined ? undefined : state.findBucket(address.bucket);
  if (bucket === undefined) {
    const [first = "us-east-1"] = state.settings.regions;
    if (state.settings.regions.includes(claim.region)) return;
    throw malformed(claim, `the region '${claim.region}' is wrong; expecting '${first}'`, first);
  }
  const { name, region } = bucket.config;
  if (claim.region === region) return;
  const headers = { "x-amz-bucket-region": region };
  if (address.isVirtualHost || !state.settings.regions.includes(claim.region)) {
    throw malformed(claim, `the region '${claim.region}' is wrong; expecting '${region}'`, region);
  }
  throw new S3Error("PermanentRedirect", undefined, {
    details: { Endpoint: `s3.${region}.amazonaws.com`, Bucket: name },
    headers,
  });
}

function malformed(claim: Claim, what: string, region?: string): S3Error {
  const isQuery = claim.expiresSeconds !== undefined;
  const code = isQuery ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed";
  const message = isQuery
    ? `Error parsing the X-Amz-Credential parameter; ${what}`
    : `The authorization header is malformed; ${what}`;
  return new S3Error(code, message, {
    details: region === undefined ? {} : { Region: region },
    headers: region === undefined ? {} : { "x-amz-bucket-region": region },
  });
}

function readPayloadHash(request: SignableRequest, claim: Claim): string {
  const header = request.headers.get("x-amz-content-sha256");
  if (header !== undefined) return header;
  if (claim.expiresSeconds !== undefined) {
    return request.query.find(([name]) => name === "X-Amz-Content-Sha256")?.[1] ?? "UNSIGNED-PAYLOAD";
  }
  throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
}
