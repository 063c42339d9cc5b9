/** An answer that is an error, by the status and the reason of the public API reference. */
export class GceError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, reason: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "GceError";
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

/** An error as operations word it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The status that a request would have been answered with. Default: 400. */
  readonly status?: number;
}

/** The error of a field whose value is not allowed. */
export function invalidField(field: string, value: unknown, detail: string): GceError {
  const shown = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return new GceError(400, "invalid", `Invalid value for field '${field}': '${shown}'. ${detail}`);
}

/** The error of a resource that does not exist. */
export function notFound(path: string): GceError {
  return new GceError(404, "notFound", `The resource '${path}' was not found`);
}

/** The error of a resource that exists already. */
export function alreadyExists(path: string): GceError {
  return new GceError(409, "alreadyExists", `The resource '${path}' already exists`);
}

/** The error of a resource on which an operation is at work. */
export function notReady(path: string): GceError {
  return new GceError(400, "resourceNotReady", `The resource '${path}' is not ready`);
}

/** Writes an error's body. */
export function writeGceError(status: number, reason: string, message: string): Readonly<Record<string, unknown>> {
  const place = status === 401 ? { location: "Authorization", locationType: "header" } : {};
  const rpcStatus = rpcStatuses[status];
  return {
    error: {
      code: status,
      message,
      errors: [{ message, domain: reason === "quotaExceeded" ? "usageLimits" : "global", reason, ...place }],
      ...(rpcStatus === undefined ? {} : { status: rpcStatus }),
    },
  };
}

const rpcStatuses: Readonly<Record<number, string>> = { 401: "UNAUTHENTICATED", 503: "UNAVAILABLE" };
