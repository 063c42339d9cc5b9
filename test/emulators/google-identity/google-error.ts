/** An error of an OAuth endpoint. */
export class OauthError extends Error {
  readonly status: number;
  readonly error: string;

  constructor(error: string, description: string, status = 400) {
    super(description);
    this.name = "OauthError";
    this.error = error;
    this.status = status;
  }
}

const statuses = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
} as const;

/** An error of an API in the form of google.rpc.Status. */
export class RpcError extends Error {
  readonly status: number;
  readonly rpcStatus: keyof typeof statuses;
  readonly details: readonly Readonly<Record<string, unknown>>[];

  constructor(
    rpcStatus: keyof typeof statuses,
    message: string,
    details: readonly Readonly<Record<string, unknown>>[] = [],
  ) {
    super(message);
    this.name = "RpcError";
    this.status = statuses[rpcStatus];
    this.rpcStatus = rpcStatus;
    this.details = details;
  }
}

/** Returns the error of a principal that lacks a permission. */
export function missingPermission(permission: string, resource: string): RpcError {
  return new RpcError("PERMISSION_DENIED", `Permission '${permission}' denied on resource (or it may not exist).`, [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "IAM_PERMISSION_DENIED",
      domain: "iam.googleapis.com",
      metadata: { permission, resource },
    },
  ]);
}
