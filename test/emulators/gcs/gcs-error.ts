/** Where in the request the error is. */
export interface ErrorPlace {
  readonly locationType?: string;
  readonly location?: string;
}

/** An answer that is an error, by the status and the reason of the public API reference. */
export class GcsError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly place: ErrorPlace;
  readonly headers: Readonly<Record<string, string>>;
  /** The code of the XML API, where it is not that of the status. */
  readonly xmlCode: string | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: ErrorPlace & { readonly headers?: Readonly<Record<string, string>>; readonly xmlCode?: string } = {},
  ) {
    super(message);
    this.name = "GcsError";
    this.status = status;
    this.reason = reason;
    this.headers = more.headers ?? {};
    this.xmlCode = more.xmlCode;
    this.place = {
      ...(more.locationType === undefined ? {} : { locationType: more.locationType }),
      ...(more.location === undefined ? {} : { location: more.location }),
    };
  }
}

/** The error of a value that is not understood or not allowed. */
export function invalid(message: string): GcsError {
  return new GcsError(400, "invalid", message);
}

/** The error of a parameter that must be there. */
export function required(name: string): GcsError {
  const place = { locationType: "parameter", location: name };
  return new GcsError(400, "required", `Required parameter: ${name}`, place);
}

/** The error of an object that does not exist. */
export function noSuchObject(bucket: string, name: string): GcsError {
  return new GcsError(404, "notFound", `No such object: ${bucket}/${name}`, { xmlCode: "NoSuchKey" });
}

/** The error of a bucket that does not exist. */
export function noSuchBucket(): GcsError {
  return new GcsError(404, "notFound", "The specified bucket does not exist.", { xmlCode: "NoSuchBucket" });
}

/** The error of a condition that does not hold. */
export function conditionNotMet(): GcsError {
  const message = "At least one of the pre-conditions you specified did not hold.";
  const place = { locationType: "header", location: "If-Match" };
  return new GcsError(412, "conditionNotMet", message, { ...place, xmlCode: "PreconditionFailed" });
}

/** Writes an error as the JSON API does. */
export function writeJsonError(status: number, reason: string, message: string, place: ErrorPlace): string {
  const errors = [{ message, domain: "global", reason, ...place }];
  return JSON.stringify({ error: { code: status, message, errors } });
}
