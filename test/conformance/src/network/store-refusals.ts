import type { PassingRequest, Refusal } from "./http-fault-proxy.ts";

/** A refusal that every cloud knows, by its HTTP status and by its name in each API. */
export interface RefusalName {
  readonly status: number;
  /** S3 and EC2. */
  readonly aws: string;
  readonly azure: string;
  /** The `reason` of Google's JSON. */
  readonly google: string;
}

/** The refusals of the fault tests. */
export const refusalNames = {
  internalError: { status: 500, aws: "InternalError", azure: "InternalError", google: "internalError" },
  unavailable: { status: 503, aws: "ServiceUnavailable", azure: "ServerBusy", google: "backendError" },
  slowDown: { status: 503, aws: "SlowDown", azure: "ServerBusy", google: "backendError" },
  tooMany: { status: 429, aws: "SlowDown", azure: "TooManyRequests", google: "rateLimitExceeded" },
  // EC2 throttles with a status of its own.
  volumeThrottle: { status: 503, aws: "RequestLimitExceeded", azure: "TooManyRequests", google: "rateLimitExceeded" },
  volumeDenied: { status: 403, aws: "UnauthorizedOperation", azure: "AuthorizationFailed", google: "forbidden" },
  denied: { status: 403, aws: "AccessDenied", azure: "AuthorizationFailure", google: "forbidden" },
} as const satisfies Readonly<Record<string, RefusalName>>;

const message = "Refused by the fault proxy.";

/** A refusal in the words of the API that the request speaks, told by its headers and its path. */
export function refusalOf({ headers, path }: PassingRequest, { status, aws, azure, google }: RefusalName): Refusal {
  const xml = { "content-type": "application/xml" };
  const json = { "content-type": "application/json; charset=UTF-8" };
  if (headers["x-ms-version"] !== undefined)
    return {
      kind: "refuse",
      status,
      headers: { ...xml, "x-ms-error-code": azure },
      body: `<?xml version="1.0"?><Error><Code>${azure}</Code><Message>${message}</Message></Error>`,
    };
  if (/^\/subscriptions\//i.test(path))
    return { kind: "refuse", status, headers: json, body: JSON.stringify({ error: { code: azure, message } }) };
  if (/^\/(?:upload\/|download\/|batch\/|resumable\/)?(?:storage|compute)\/v1/.test(path)) {
    const errors = [{ domain: "global", reason: google, message }];
    return {
      kind: "refuse",
      status,
      headers: json,
      body: JSON.stringify({ error: { code: status, message, errors } }),
    };
  }
  const isQueryApi = headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  const error = `<Code>${aws}</Code><Message>${message}</Message>`;
  return {
    kind: "refuse",
    status,
    headers: xml,
    body: isQueryApi
      ? `<?xml version="1.0"?><Response><Errors><Error>${error}</Error></Errors><RequestID>fault</RequestID></Response>`
      : `<?xml version="1.0"?><Error>${error}<RequestId>fault</RequestId></Error>`,
  };
}
