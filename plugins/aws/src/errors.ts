import {
  absentError,
  answerError,
  deniedMeaning,
  localError,
  meaningOfStatus as commonMeaningOfStatus,
  networkError,
} from "@flotilla/sdk/network";
import type { Attempt, Meaning, ServiceAnswer as CommonAnswer } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import { inItsWords } from "./service-words.ts";
import { commonCodes, ec2Codes, s3Codes, stsCodes, webIdentityAdvice } from "./service-codes.ts";

export type { Attempt } from "@flotilla/sdk/network";

/** The parts of an SDK error that decide; everything else, its text above all, does not. */
interface ServiceAnswer extends CommonAnswer {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The Region element of S3's error body. */
  readonly region: string | undefined;
  /** Told where the code does not say it all. */
  readonly message: string;
}

const absentS3Codes = new Set(["NoSuchKey", "NotFound", "NoSuchVersion"]);
// The one is a proxy's; of the other the number says it all.
const wordlessStatuses: ReadonlySet<number> = new Set([407, 429]);

/** Turns what the S3 client threw into a PluginError. */
export function translateS3Error(thrown: unknown, attempt: Attempt): PluginError {
  const answer = serviceAnswer(thrown);
  if (answer === undefined) return translateLocalError(thrown, attempt);
  if (attempt.subject !== undefined && absentS3Codes.has(answer.code))
    return absentError(thrown, answer, attempt.subject);
  const known = meaningIn(s3Codes, answer);
  const meaning =
    known === undefined || isAboutKms(answer)
      ? worded(known ?? meaningOfStatus(answer, attempt), answer, attempt)
      : known;
  return answerError(thrown, answer, attempt, withRegion(meaning, answer));
}

/** Turns what the EC2 client threw into a PluginError. */
export function translateEc2Error(thrown: unknown, attempt: Attempt): PluginError {
  const answer = serviceAnswer(thrown);
  if (answer === undefined) return translateLocalError(thrown, attempt);
  const isAbsent = answer.code === "InvalidSnapshot.NotFound" || answer.code === "InvalidVolume.NotFound";
  if (attempt.subject !== undefined && isAbsent) return absentError(thrown, answer, attempt.subject);
  const meaning = meaningIn(ec2Codes, answer) ?? meaningOfStatus(answer, attempt);
  // What every service's code means is said in full.
  const isCommon = Object.hasOwn(commonCodes, answer.code);
  return answerError(thrown, answer, attempt, isCommon ? meaning : worded(meaning, answer, attempt));
}

/** Turns what a credential provider threw into a PluginError that names the source, never its contents. */
export function translateCredentialsError(thrown: unknown, source: string): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const attempt: Attempt = { action: `get credentials from ${source}`, permission: "sts:AssumeRole" };
  return (
    translateStsError(thrown, attempt) ??
    new PluginError(
      `${attempt.action}: none can be had; write aws_access_key_id and aws_secret_access_key, or what the role needs, into it`,
      { kind: "invalid-config", code: nameOf(thrown), cause: thrown },
    )
  );
}

/** The same for the pod's own web identity. What is wrong with a role is not to be taken for a permission on a bucket. */
export function translateWebIdentityError(thrown: unknown, role: string): PluginError {
  const attempt: Attempt = {
    action: `get credentials from the pod's web identity for the role "${role}"`,
    permission: "sts:AssumeRoleWithWebIdentity",
    deniedAdvice: webIdentityAdvice,
  };
  return (
    translateStsError(thrown, attempt) ??
    new PluginError(
      `${attempt.action}: none can be had; check the token file that AWS_WEB_IDENTITY_TOKEN_FILE names and AWS_ROLE_ARN`,
      { kind: "invalid-config", code: nameOf(thrown), cause: thrown },
    )
  );
}

/** What STS answered, or why it could not be asked; undefined for what failed before. */
function translateStsError(thrown: unknown, attempt: Attempt): PluginError | undefined {
  const answer = serviceAnswer(thrown);
  if (answer === undefined)
    return (
      networkError(thrown, attempt) ?? (nameOf(thrown) === "TimeoutError" ? localError(thrown, attempt) : undefined)
    );
  const known = meaningIn(stsCodes, answer);
  return answerError(thrown, answer, attempt, known ?? worded(meaningOfStatus(answer, attempt), answer, attempt));
}

/** The region that S3 sent the request to, when that is what the error says. */
export function redirectRegion(thrown: unknown): string | undefined {
  const answer = serviceAnswer(thrown);
  if (answer === undefined || ![301, 307, 400].includes(answer.status)) return undefined;
  return regionIn(answer);
}

/** The region of the bucket, where S3 names it in the answer behind an SDK error. */
export function regionOf(thrown: unknown): string | undefined {
  const answer = serviceAnswer(thrown);
  return answer === undefined ? undefined : regionIn(answer);
}

/** The HTTP status of the answer behind an SDK error, if there was one. */
export function statusOf(thrown: unknown): number | undefined {
  return serviceAnswer(thrown)?.status;
}

/** The service's own code in an SDK error. */
export function codeOf(thrown: unknown): string | undefined {
  return serviceAnswer(thrown)?.code;
}

function meaningIn(codes: Readonly<Record<string, Meaning>>, { code }: ServiceAnswer): Meaning | undefined {
  if (Object.hasOwn(codes, code)) return codes[code];
  return Object.hasOwn(commonCodes, code) ? commonCodes[code] : undefined;
}

function meaningOfStatus(answer: ServiceAnswer, attempt: Attempt): Meaning {
  if (answer.code === "UnauthorizedOperation" || answer.code === "Client.UnauthorizedOperation")
    return deniedMeaning(attempt);
  const isRedirect = answer.status === 301 || answer.status === 307;
  return (isRedirect ? s3Codes["PermanentRedirect"] : undefined) ?? commonMeaningOfStatus(answer, attempt);
}

/** With the service's text where it refused; a service that failed, or what stands in its place, has no say. */
function worded(meaning: Meaning, answer: ServiceAnswer, attempt: Attempt): Meaning {
  const hasRefused = answer.status >= 400 && answer.status < 500 && !wordlessStatuses.has(answer.status);
  return hasRefused ? inItsWords(meaning, answer, attempt) : meaning;
}

function isAboutKms({ code }: ServiceAnswer): boolean {
  return code.startsWith("KMS");
}

function regionIn({ headers, region }: ServiceAnswer): string | undefined {
  return headers["x-amz-bucket-region"] ?? region;
}

function withRegion(meaning: Meaning, answer: ServiceAnswer): Meaning {
  const region = regionIn(answer);
  if (region === undefined || meaning !== s3Codes["PermanentRedirect"]) return meaning;
  return {
    ...meaning,
    text: `the bucket is in the region ${region}`,
    remedy: `set the location's key region to ${region}`,
  };
}

function translateLocalError(thrown: unknown, attempt: Attempt): PluginError {
  const name = nameOf(thrown);
  const isWithoutCredentials = name === "CredentialsProviderError" || name === "ProviderError";
  if (!isWithoutCredentials || attempt.signal?.aborted === true) return localError(thrown, attempt);
  return (
    networkError(thrown, attempt) ??
    new PluginError(
      `${attempt.action}: no credentials; give the location a Secret, or the server's pod a role (IRSA, EKS Pod Identity, or an instance profile, which a pod reaches only where IMDS allows two hops)`,
      { kind: "denied", code: name, cause: thrown },
    )
  );
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
    message: error.message,
  };
}
