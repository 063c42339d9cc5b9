import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

/** One thing that a stand-in must do as the real service does. */
export interface Probe<Context> {
  /** A sentence of behaviour, unique in its list. */
  readonly name: string;
  /** Throws when the stand-in does something else. */
  readonly run: (context: Context) => Promise<void>;
}

/** The outcome of a probe: "wrong" is another behaviour than expected, "error" a request that failed outright. */
export interface Outcome {
  readonly name: string;
  readonly result: "ok" | "wrong" | "error";
  readonly reason: string;
}

// A server that never answers must not hold up the rest.
const deadlineMs = 60_000;

const tries = 3;

/**
 * Runs one probe and tells how it went. One whose connection was reset runs again: a server closes an idle connection at
 * times just when a request goes out by it, which says nothing of what it does.
 */
export async function runProbe<Context>(probe: Probe<Context>, context: Context): Promise<Outcome> {
  for (let tried = 1; ; tried += 1) {
    const { error, ...outcome } = await tryProbe(probe, context);
    if (!isReset(error) || tried === tries) return outcome;
  }
}

async function tryProbe<Context>(
  probe: Probe<Context>,
  context: Context,
): Promise<Outcome & { readonly error?: unknown }> {
  try {
    const tooLate = new AbortController();
    const running = probe.run(context).finally(() => tooLate.abort());
    const deadline = delay(deadlineMs, undefined, { signal: tooLate.signal }).then(() => {
      throw new Error(`no end after ${deadlineMs / 1000} s`);
    });
    await Promise.race([running, deadline]);
    return { name: probe.name, result: "ok", reason: "" };
  } catch (error) {
    const isWrong = error instanceof assert.AssertionError;
    return { name: probe.name, result: isWrong ? "wrong" : "error", reason: explain(error), error };
  }
}

/** Also where a client wraps what the system said. */
function isReset(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"].includes(String(code)) || isReset(error.cause);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first = ""] = error.message.split("\n");
  if (!(error instanceof assert.AssertionError) || !error.generatedMessage) return first;
  const show = (value: unknown): string => inspect(value, { breakLength: Infinity, maxStringLength: 80 }).slice(0, 200);
  return `got ${show(error.actual)}, expected ${error.operator.startsWith("not") ? "another" : show(error.expected)}`;
}

/** Expects a request to fail with one of these codes and, where given, with a status. */
export async function expectFailure(
  request: Promise<unknown>,
  codes: string | readonly string[],
  status?: number,
): Promise<void> {
  const error = await thrownBy(request);
  // That is no answer of the server.
  if (isReset(error)) throw error;
  const failure = describe(error);
  const wanted = typeof codes === "string" ? [codes] : codes;
  assert.ok(wanted.includes(failure.code), `expected ${wanted.join(" or ")}, got ${failure.code} ${failure.status}`);
  if (status !== undefined) assert.equal(failure.status, status);
}

/** Returns the code and the status of a request that is expected to fail. */
export async function failureOf(
  request: Promise<unknown>,
): Promise<{ readonly code: string; readonly status: number }> {
  return describe(await thrownBy(request));
}

async function thrownBy(request: Promise<unknown>): Promise<unknown> {
  try {
    await request;
  } catch (error) {
    return error;
  }
  return assert.fail("expected a failure, but the request succeeded");
}

function describe(error: unknown): { code: string; status: number } {
  if (!(error instanceof Error)) return { code: String(error), status: 0 };
  // The SDKs of Azure have the code and the status on the error itself, those of AWS name the error after the code.
  if ("statusCode" in error && typeof error.statusCode === "number") {
    return { code: azureCode(error), status: error.statusCode };
  }
  const metadata: unknown = "$metadata" in error ? error.$metadata : undefined;
  const status =
    typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata ? metadata.httpStatusCode : 0;
  return { code: error.name, status: typeof status === "number" ? status : 0 };
}

// The answer to a HEAD has no body, so its code comes from a header, which the SDK keeps elsewhere.
function azureCode(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  const details: unknown = "details" in error ? error.details : undefined;
  const has = typeof details === "object" && details !== null && "errorCode" in details;
  return has ? String(details.errorCode) : error.name;
}
