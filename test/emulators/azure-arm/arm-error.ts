/** An error as ARM words it: in a body, and as the outcome of an operation. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** An answer that is an error, by the code of the public API reference. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "ArmError";
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The error of a value that is not one of those allowed. */
export function invalidParameter(message: string): ArmError {
  return new ArmError(400, "InvalidParameter", message);
}

/** The error of something that cannot be done in this state. */
export function notAllowed(message: string): ArmError {
  return new ArmError(409, "OperationNotAllowed", message);
}
