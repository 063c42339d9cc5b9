import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Environment } from "@flotilla/sdk/network";
import { parseObject } from "./answers.ts";

/** A program that prints a token of somebody else's issuer, and what it is told. */
export interface TokenProgram {
  /** `credential_source.executable` of the credentials. */
  readonly source: Readonly<Record<string, unknown>>;
  readonly audience: string;
  readonly tokenType: string;
  /** Whom the token will be exchanged for; undefined where nobody is impersonated. */
  readonly impersonatedEmail: string | undefined;
  readonly env: Environment;
}

const permission = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
const defaultTimeoutMs = 30_000;
const timeoutsMs = { min: 5_000, max: 120_000 };
const maxAnswerBytes = 1024 ** 2;
const newestVersion = 1;
const tokenFields: Readonly<Record<string, string>> = {
  "urn:ietf:params:oauth:token-type:id_token": "id_token",
  "urn:ietf:params:oauth:token-type:jwt": "id_token",
  "urn:ietf:params:oauth:token-type:saml2": "saml_response",
};

/**
 * The token that the program prints, or that it left in its output file and is still good:
 * https://google.aip.dev/auth/4117#determining-the-subject-token-in-executable-sourced-credentials. What it prints never
 * reaches a message, since a token may be in it.
 */
export async function executableToken(program: TokenProgram, signal: AbortSignal): Promise<string> {
  const { source, env } = program;
  const [file, ...args] = wordsOf(source["command"]);
  if (file === undefined) throw invalid("credential_source.executable has no command; make the credentials again");
  const timeoutMs = Number(source["timeout_millis"] ?? defaultTimeoutMs);
  if (!(timeoutMs >= timeoutsMs.min && timeoutMs <= timeoutsMs.max))
    throw invalid("timeout_millis of credential_source.executable must lie between 5000 and 120000");
  if (env[permission] !== "1")
    throw invalid(
      `the credentials run the program ${file}, which must be allowed; set ${permission}=1 in the server's pod`,
    );
  const outputFile = typeof source["output_file"] === "string" ? source["output_file"] : "";
  const kept = outputFile === "" ? undefined : await keptToken(outputFile);
  if (kept !== undefined) return kept;
  const printed = await run(file, args, { env: environmentOf(program, outputFile), timeoutMs, signal });
  return tokenOf(printed, file, outputFile !== "");
}

function environmentOf({ audience, tokenType, impersonatedEmail, env }: TokenProgram, outputFile: string): Environment {
  return {
    ...env,
    GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience,
    GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: tokenType,
    GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
    ...(impersonatedEmail === undefined ? {} : { GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: impersonatedEmail }),
    ...(outputFile === "" ? {} : { GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: outputFile }),
  };
}

/** What an earlier run left and is still good; a failure or nothing readable there means that the program is to be run. */
async function keptToken(path: string): Promise<string | undefined> {
  const answer = parseObject(await readFile(path, "utf8").catch(() => ""));
  if (answer?.["success"] !== true || !(Number(answer["expiration_time"]) * 1000 > Date.now())) return undefined;
  return tokenIn(answer);
}

function tokenOf(printed: string, file: string, needsExpiry: boolean): string {
  const answer = parseObject(printed);
  const about = `the program ${file} of the credentials`;
  if (answer === undefined) throw invalid(`${about} printed no JSON object`);
  const { version, success, code, message, expiration_time: expiry } = answer;
  if (!(Number(version) <= newestVersion)) throw invalid(`${about} answered in a version other than 1`);
  if (success !== true)
    throw new PluginError(`${about} gave no token: ${textOf(code)}, "${textOf(message)}"`, { kind: "denied" });
  if (needsExpiry && expiry === undefined)
    throw invalid(`${about} told no expiration_time, which an output_file needs`);
  if (expiry !== undefined && !(Number(expiry) * 1000 > Date.now())) throw invalid(`${about} gave an expired token`);
  const token = tokenIn(answer);
  if (token === undefined) throw invalid(`${about} gave no token of the token_type that it names`);
  return token;
}

function tokenIn(answer: Readonly<Record<string, unknown>>): string | undefined {
  const type = String(answer["token_type"]);
  const token = Object.hasOwn(tokenFields, type) ? answer[tokenFields[type] ?? ""] : undefined;
  return typeof token === "string" && token !== "" ? token : undefined;
}

interface RunOptions {
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What it printed: on its standard output, where that is not empty, for programs warn on the other one. */
async function run(file: string, args: readonly string[], { env, timeoutMs, signal }: RunOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = {
    env: { ...env },
    timeout: timeoutMs,
    // One that does not listen would be waited for beyond its time.
    killSignal: "SIGKILL",
    signal,
    maxBuffer: maxAnswerBytes,
  } as const;
  const child = execFile(file, args, options, (error, stdout, stderr) => {
    if (error === null) resolve(stdout.trim() === "" ? stderr : stdout);
    else reject(signal.aborted ? signal.reason : failureOf(file, error, timeoutMs));
  });
  child.stdin?.end();
  return await promise;
}

function failureOf(file: string, error: Error, timeoutMs: number): PluginError {
  const about = `the program ${file} of the credentials`;
  const code = "code" in error ? String(error.code) : "";
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return invalid(`${about} printed more than an answer has`);
  // Not a failure that may pass: whoever asks again would wait as long each time.
  if ("killed" in error && error.killed === true)
    return invalid(`${about} did not end within ${timeoutMs / 1000} s; raise its timeout_millis`);
  return invalid(/^\d+$/.test(code) ? `${about} ended with the code ${code}` : `${about} cannot be run (${code})`);
}

/** Words between spaces; quotation marks keep spaces together. */
function wordsOf(command: unknown): readonly string[] {
  const words = typeof command === "string" ? (command.match(/(?:[^\s"]+|"[^"]*")+/g) ?? []) : [];
  return words.map((word) => (/^".*"$/.test(word) ? word.slice(1, -1) : word));
}

function textOf(value: unknown): string {
  return (typeof value === "string" || typeof value === "number" ? String(value) : "no reason").slice(0, 200);
}

function invalid(message: string): PluginError {
  return new PluginError(message, { kind: "invalid-config" });
}
