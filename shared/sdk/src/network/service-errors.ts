import { PluginError } from "../plugin/index.ts";
import { meaningOfNetworkCode } from "./network-errors.ts";
import type { Meaning } from "./network-errors.ts";

/** What was tried when an error came, in the words of its message. */
export interface Attempt {
  /** For example `put object "a" in bucket "b"`. */
  readonly action: string;
  /** The permission that the request needs, as the cloud names it. */
  readonly permission: string;
  /** What is absent when the service says so, for example `object "a" in bucket "b"`; absent where that cannot be. */
  readonly subject?: string;
  /** Added to the remedy where access is denied. */
  readonly deniedAdvice?: string;
  /** Of the call; tells a cancelled request from a broken one. */
  readonly signal?: AbortSignal;
}

/** The parts of a service's answer that decide; everything else, its text above all, does not. */
export interface ServiceAnswer {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  /** Where the service says when to ask again. */
  readonly retryAfterMs?: number | undefined;
}

/** The error of a truly absent subject: the only one that says "not found". */
export function absentError(thrown: unknown, answer: ServiceAnswer, subject: string): PluginError {
  return new PluginError(`${subject} not found (${evidence(answer)})`, {
    kind: "not-found",
    code: answer.code,
    requestId: answer.requestId,
    cause: thrown,
  });
}

/** The error of a service that answered, in words. */
export function answerError(thrown: unknown, answer: ServiceAnswer, attempt: Attempt, meaning: Meaning): PluginError {
  const remedy = meaning.remedy === "" ? "" : `; ${meaning.remedy}`;
  return new PluginError(`${attempt.action}: ${meaning.text} (${evidence(answer)})${remedy}`, {
    kind: meaning.kind,
    code: answer.code,
    requestId: answer.requestId,
    retryAfterMs: answer.retryAfterMs,
    cause: thrown,
  });
}

/** What an HTTP status means where the service's own code tells nothing. */
export function meaningOfStatus({ status }: ServiceAnswer, attempt: Attempt): Meaning {
  if (status === 401 || status === 403) return deniedMeaning(attempt);
  if (status === 407)
    return {
      kind: "denied",
      text: "the proxy wants a user and a password",
      remedy: "name them in its address, HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
    };
  if (status === 412) return { kind: "conflict", text: "the object changed meanwhile", remedy: "" };
  if (status === 429) return { kind: "unavailable", text: "throttled", remedy: "" };
  if (status === 501) return { kind: "unsupported", text: "the service does not implement this request", remedy: "" };
  if (status === 408 || status >= 500) return { kind: "unavailable", text: "the service failed", remedy: "" };
  if (status >= 400) return { kind: "invalid-argument", text: "the request was refused", remedy: "" };
  return {
    kind: "unavailable",
    text: "the answer is not the service's",
    remedy: "check that the endpoint is the store's API and not its console or a proxy's page",
  };
}

/** What a refusal for lack of a permission means. */
export function deniedMeaning(attempt: Attempt): Meaning {
  const advice = attempt.deniedAdvice === undefined ? "" : `; ${attempt.deniedAdvice}`;
  return { kind: "denied", text: "access denied", remedy: `grant ${attempt.permission}${advice}` };
}

/** The error of a failure below HTTP, wherever it hides in what was thrown; undefined for any other. */
export function networkError(thrown: unknown, attempt: Attempt): PluginError | undefined {
  for (const error of chainOf(thrown)) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    const meaning = meaningOfNetworkCode(code);
    if (meaning === undefined) continue;
    const seen = [code, ...peerOf(error)].join(" ");
    return new PluginError(`${attempt.action}: ${meaning.text} (${seen}); ${meaning.remedy}`, {
      kind: meaning.kind,
      code,
      cause: thrown,
    });
  }
  return undefined;
}

/** The error of anything else that was thrown without an answer of the service. */
export function localError(thrown: unknown, attempt: Attempt): PluginError {
  if (thrown instanceof PluginError) return thrown;
  if (attempt.signal?.aborted === true) return PluginError.from(attempt.signal.reason);
  const network = networkError(thrown, attempt);
  if (network !== undefined) return network;
  if (thrown instanceof Error && thrown.name === "TimeoutError")
    return new PluginError(
      `${attempt.action}: no answer in time; check the endpoint, the network policy and the proxy`,
      { kind: "timeout", cause: thrown },
    );
  return new PluginError(`${attempt.action}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    kind: "internal",
    cause: thrown,
  });
}

/** An error with what it hides: its cause, and the several attempts of one connection. */
export function chainOf(thrown: unknown): Error[] {
  if (!(thrown instanceof Error)) return [];
  const inner = [...(thrown instanceof AggregateError ? thrown.errors : []), thrown.cause];
  return [thrown, ...inner.flatMap(chainOf)];
}

function evidence({ code, status, requestId }: ServiceAnswer): string {
  return [code, `HTTP ${status}`, ...(requestId === undefined ? [] : [`request ${requestId}`])].join(", ");
}

/** The address or host name that an error of Node's network layers is about: of the endpoint or of the proxy. */
function peerOf(error: Error): string[] {
  if ("address" in error && "port" in error) return [`${String(error.address)}:${String(error.port)}`];
  return "hostname" in error ? [String(error.hostname)] : [];
}
