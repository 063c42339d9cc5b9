import { randomUUID } from "node:crypto";

/** The errors of OAuth 2.0 that Entra answers with. */
export type OauthError =
  | "invalid_client"
  | "invalid_grant"
  | "invalid_instance"
  | "invalid_request"
  | "invalid_resource"
  | "invalid_scope"
  | "unauthorized_client"
  | "unsupported_grant_type";

/** An answer of Entra that is an error: OAuth's word for it and the number after "AADSTS". */
export class EntraError extends Error {
  readonly status: number;
  readonly error: OauthError;
  readonly number: number;

  constructor(error: OauthError, number: number, message: string) {
    super(message);
    this.name = "EntraError";
    this.status = error === "invalid_client" ? 401 : 400;
    this.error = error;
    this.number = number;
  }
}

/** Writes the body of an error. */
export function writeEntraError(error: EntraError, now: Date): Record<string, unknown> {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${now.toISOString().slice(0, 19).replace("T", " ")}Z`;
  const where = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return {
    error: error.error,
    error_description: `AADSTS${error.number}: ${error.message} ${where}`,
    error_codes: [error.number],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${error.number}`,
  };
}
