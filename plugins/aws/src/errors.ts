import { PluginError } from "@flotilla/sdk/plugin";
import { meaningOfNetworkCode } from "./network-errors.ts";
import type { Meaning } from "./network-errors.ts";
import { commonCodes, ec2Codes, s3Codes } from "./service-codes.ts";

/** What was tried when an error came, in the words of its message. */
export interface Attempt {
  /** For example `put object "a" in bucket "b"`. */
  readonly action: string;
  /** The IAM action that the request needs. */
  readonly permission: string;
  /** What is absent when the service says so, for example `object "a" in bucket "b"`; absent where that cannot be. */
  readonly subject?: string;
  /** Added to the remedy where access is denied. */
  readonly deniedAdvice?: string;
  /** Of the call; tells a cancelled request from a broken one. */
  readonly signal?: AbortSignal;
}

/** The parts of an SDK error that decide; everything else, its text above all, does not. */
interface ServiceAnswer {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The Region element of S3's error body. */
  readonly region: string | undefined;
}

const absentS3Codes = new Set(["NoSuchKey", "NotFound", "NoSuchVersion"]);

/** Turns what the S3 client threw into a PluginError. */
export function translateS3Error(thrown: unknown, attempt: Attempt): PluginError {
  const answer = serviceAnswer(thrown);
  if (answer === undefined) return translateLocalError(thrown, attempt);
  if (attempt.subject !== undefined && absentS3Codes.has(answer.code)) return absent(thrown, answer, attempt.subject);
  const meaning = meaningIn(s3Codes, answer) ?? meaningOfStatus(answer, attempt);
  return describe(thrown, answer, attempt, withRegion(meaning, answer));
}

/** Turns what the EC2 client threw into a PluginError. */
export function translateEc2Error(thrown: unknown, attempt: Attempt): PluginError {
  const answer = serviceAnswer(thrown);
  if (answer === undefined) return translateLocalError(thrown, attempt);
  const isAbsent = answer.code === "InvalidSnapshot.NotFound" || answer.code === "InvalidVolume.NotFound";
  if (attempt.subject !== undefined && isAbsent) return absent(thrown, answer, attempt.subject);
  return describe(thrown, answer, attempt, meaningIn(ec2Codes, answer) ?? meaningOfStatus(answer, attempt));
}

/** Turns what a credential provider threw into a PluginError that names the source, never its contents. */
export function translateCredentialsError(thrown: unknown, source: string): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const attempt: Attempt = { action: `get credentials from ${source}`, permission: "sts:AssumeRole" };
  const answer = serviceAnswer(thrown);
  if (answer !== undefined)
    return describe(thrown, answer, attempt, meaningIn({}, answer) ?? meaningOfStatus(answer, attempt));
  if (networkMeaning(thrown) !== undefined) return translateLocalError(thrown, attempt);
  return new PluginError(
    `${attempt.action}: none can be had; write aws_access_key_id and aws_secret_access_key, or what the role needs, into it`,
    { kind: "invalid-config", code: nameOf(thrown), cause: thrown },
  );
}

/** The region that S3 sent the request to, when that is what the error says. */
export function redirectRegion(thrown: unknown): string | undefined {
  const answer = serviceAnswer(thrown);
  if (answer === undefined || ![301, 307, 400].includes(answer.status)) return undefined;
  return answer.headers["x-amz-bucket-region"] ?? answer.region;
}

/** The HTTP status of the answer behind an SDK error, if there was one. */
export function statusOf(thrown: unknown): number | undefined {
  return serviceAnswer(thrown)?.status;
}

/** The service's own code in an SDK error. */
export function codeOf(thrown: unknown): string | undefined {
  return serviceAnswer(thrown)?.code;
}

function absent(thrown: unknown, answer: ServiceAnswer, subject: string): PluginError {
  return new PluginError(`${subject} not found (${evidence(answer)})`, {
    kind: "not-found",
    code: answer.code,
    requestId: answer.requestId,
    cause: thrown,
  });
}

function describe(thrown: unknown, answer: ServiceAnswer, attempt: Attempt, meaning: Meaning): PluginError {
  const remedy = meaning.remedy === "" ? "" : `; ${meaning.remedy}`;
  return new PluginError(`${attempt.action}: ${meaning.text} (${evidence(answer)})${remedy}`, {
    kind: meaning.kind,
    code: answer.code,
    requestId: answer.requestId,
    cause: thrown,
  });
}

function evidence({ code, status, requestId }: ServiceAnswer): string {
  return [code, `HTTP ${status}`, ...(requestId === undefined ? [] : [`request ${requestId}`])].join(", ");
}

function meaningIn(codes: Readonly<Record<string, Meaning>>, { code }: ServiceAnswer): Meaning | undefined {
  if (Object.hasOwn(codes, code)) return codes[code];
  return Object.hasOwn(commonCodes, code) ? commonCodes[code] : undefined;
}

function meaningOfStatus({ status, code }: ServiceAnswer, attempt: Attempt): Meaning {
  if (status === 401 || status === 403 || code === "UnauthorizedOperation" || code === "Client.UnauthorizedOperation") {
    const advice = attempt.deniedAdvice === undefined ? "" : `; ${attempt.deniedAdvice}`;
    return { kind: "denied", text: "access denied", remedy: `grant ${attempt.permission}${advice}` };
  }
  if (status === 301 || status === 307) return s3Codes["PermanentRedirect"] ?? unexpected;
  if (status === 412) return { kind: "conflict", text: "the object changed meanwhile", remedy: "" };
  if (status === 429) return { kind: "unavailable", text: "throttled", remedy: "" };
  if (status === 501) return { kind: "unsupported", text: "the service does not implement this request", remedy: "" };
  if (status >= 500) return { kind: "unavailable", text: "the service failed", remedy: "" };
  if (status >= 400) return { kind: "invalid-argument", text: "the request was refused", remedy: "" };
  return unexpected;
}

const unexpected: Meaning = {
  kind: "unavailable",
  text: "the answer is not the service's",
  remedy: "check that the endpoint is the store's API and not its console or a proxy's page",
};

function withRegion(meaning: Meaning, answer: ServiceAnswer): Meaning {
  const region = answer.headers["x-amz-bucket-region"] ?? answer.region;
  if (region === undefined || meaning !== s3Codes["PermanentRedirect"]) return meaning;
  return {
    ...meaning,
    text: `the bucket is in the region ${region}`,
    remedy: `set the location's key region to ${region}`,
  };
}

function translateLocalError(thrown: unknown, attempt: Attempt): PluginError {
  if (thrown instanceof PluginError) return thrown;
  if (attempt.signal?.aborted === true) return PluginError.from(attempt.signal.reason);
  const network = networkMeaning(thrown);
  if (network !== undefined)
    return new PluginError(
      `${attempt.action}: ${network.meaning.text} (${network.evidence}); ${network.meaning.remedy}`,
      {
        kind: network.meaning.kind,
        code: network.code,
        cause: thrown,
      },
    );
  const name = nameOf(thrown);
  if (name === "TimeoutError")
    return new PluginError(
      `${attempt.action}: no answer in time; check the endpoint, the network policy and the proxy`,
      {
        kind: "timeout",
        cause: thrown,
      },
    );
  if (name === "CredentialsProviderError" || name === "ProviderError")
    return new PluginError(
      `${attempt.action}: no credentials; give the location a Secret, or the server's pod a role (IRSA, EKS Pod Identity, instance profile)`,
      { kind: "denied", code: name, cause: thrown },
    );
  return new PluginError(`${attempt.action}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    kind: "internal",
    cause: thrown,
  });
}

function networkMeaning(
  thrown: unknown,
): { readonly code: string; readonly evidence: string; readonly meaning: Meaning } | undefined {
  for (const error of chainOf(thrown)) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    const meaning = meaningOfNetworkCode(code);
    if (meaning !== undefined) return { code, evidence: [code, ...peerOf(error)].join(" "), meaning };
  }
  return undefined;
}

/** The address or host name that an error of Node's network layers is about: of the endpoint or of the proxy. */
function peerOf(error: Error): string[] {
  if ("address" in error && "port" in error) return [`${String(error.address)}:${String(error.port)}`];
  return "hostname" in error ? [String(error.hostname)] : [];
}

/** An error with what it hides: its cause, and the several attempts of one connection. */
function chainOf(thrown: unknown): Error[] {
  if (!(thrown instanceof Error)) return [];
  const inner = [...(thrown instanceof AggregateError ? thrown.errors : []), thrown.cause];
  return [thrown, ...inner.flatMap(chainOf)];
}

function nameOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? thrown.name : undefined;
}

function serviceAnswer(thrown: unknown): ServiceAnswer | undefined {
  if (!(thrown instanceof Error)) return undefined;
  // What the SDK adds to its errors is typed per service only; these fields are common to all of them.
  const error = thrown as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
    readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
    readonly Code?: string;
    readonly Region?: string;
  };
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
  if (status === undefined) return undefined;
  return {
    code: error.Code ?? error.name,
    status,
    requestId: error.$metadata?.requestId,
    headers: error.$response?.headers ?? {},
    region: error.Region,
  };
}
