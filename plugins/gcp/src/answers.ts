import { StringDecoder } from "node:string_decoder";
import type { HttpAnswer } from "./transport.ts";

/** What an error answer of Google's APIs tells. */
export interface ApiAnswer {
  readonly status: number;
  /** The API's own word: a reason (`notFound`), a status (`PERMISSION_DENIED`) or an OAuth error (`invalid_grant`). */
  readonly code: string;
  /** Its text: quoted, never decided upon. */
  readonly message: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

// Far above any answer that is read as a text; an endpoint that is none of Google's may send anything.
const maxTextBytes = 64 * 1024 ** 2;

// Between two pieces of an answer that is read as a text.
const silenceLimitMs = 60_000;

/** The whole body as text. Fails when nothing more of it comes for a minute. */
export async function readText({ body }: Pick<HttpAnswer, "body">, limitMs: number = silenceLimitMs): Promise<string> {
  const decoder = new StringDecoder("utf8");
  const parts: string[] = [];
  let bytes = 0;
  const silence = Object.assign(new Error("the answer broke off"), { code: "ETIMEDOUT" });
  const timer = setTimeout(() => body.destroy(silence), limitMs);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.refresh();
      bytes += chunk.byteLength;
      if (bytes > maxTextBytes) throw new Error("the answer is longer than any of the API's");
      parts.push(decoder.write(chunk));
    }
  } finally {
    clearTimeout(timer);
  }
  return parts.join("") + decoder.end();
}

/** Parses a JSON object; undefined for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // No JSON: a proxy's page, or an answer that was cut.
    return undefined;
  }
}

/** Whether the value is an object with named fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads an error answer to its end, in any of the forms that Google's APIs have. */
export async function readApiAnswer(answer: HttpAnswer): Promise<ApiAnswer> {
  const { status, headers } = answer;
  const requestId = headers["x-guploader-uploadid"] ?? headers["x-cloud-trace-context"];
  // What the status tells stands, whatever happens to the text.
  const text = await readText(answer).catch(() => "");
  const answered = parseApiText(text, status, typeof requestId === "string" ? requestId : undefined);
  return { ...answered, retryAfterMs: retryAfterOf(answer) };
}

/** Retry-After in seconds, as Google's services send it. */
function retryAfterOf({ headers }: HttpAnswer): number | undefined {
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** Reads the text of an error answer. */
export function parseApiText(text: string, status: number, requestId: string | undefined): ApiAnswer {
  const { code, message } = errorIn(parseObject(text)) ?? { code: undefined, message: text };
  return { status, code: code ?? "no error code", message: shorten(message), requestId };
}

function errorIn(
  body: Readonly<Record<string, unknown>> | undefined,
): { readonly code: string | undefined; readonly message: string } | undefined {
  if (body === undefined) return undefined;
  const { error, error_description: description } = body;
  if (typeof error === "string") return { code: error, message: typeof description === "string" ? description : "" };
  if (!isRecord(error)) return undefined;
  const [first] = Array.isArray(error["errors"]) ? (error["errors"] as unknown[]) : [];
  const reason = isRecord(first) ? first["reason"] : undefined;
  const code = [reason, error["status"]].find((one) => typeof one === "string");
  const message = error["message"];
  return { code, message: typeof message === "string" ? message : "" };
}

function shorten(message: string): string {
  return (message.trim().split("\n", 1)[0] ?? "").slice(0, 300);
}
