import { PluginError } from "@flotilla/sdk/plugin";
import type { Clock, OpenContext } from "@flotilla/sdk/plugin";
import { readSettledFile, recentlyWrittenMs } from "@flotilla/sdk/secrets";
import { parseDotenv } from "./dotenv.ts";

/** Where a location's AZURE_… lines may stand. */
export interface CredentialsSource {
  /** The location's own key, `credentialsFile`. */
  readonly credentialsFile: string | undefined;
  /** A line that the location names, so that a file without it may still be on its way. */
  readonly expectedLine?: string | undefined;
  readonly env: OpenContext["env"];
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** The AZURE_… lines of a location. */
export interface CredentialsFile {
  /** Undefined where there is none: then the environment alone counts. */
  readonly path: string | undefined;
  /** Whether the location itself names the file; the environment's serves every location. */
  readonly isOwn: boolean;
  /** The value of a line; undefined for an absent or empty one. */
  line(name: string): string | undefined;
  /** For messages. */
  readonly description: string;
}

/**
 * Reads the credentials file of a location: its own, else that of $AZURE_CREDENTIALS_FILE. One that is empty or
 * half-written is read again for two seconds. Nothing of it reaches the process's environment, so that several
 * locations keep their own identities.
 */
export async function readCredentialsFile(source: CredentialsSource): Promise<CredentialsFile> {
  const own = source.credentialsFile;
  const path = own ?? (source.env["AZURE_CREDENTIALS_FILE"] || undefined);
  if (path === undefined) return emptyFile();
  let text: string;
  try {
    text = await readSettledFile(path, {
      signal: source.signal,
      clock: source.clock,
      isUnfinished: (text, ageMs) => isUnfinished(text, ageMs, source.expectedLine),
    });
  } catch (error) {
    source.signal?.throwIfAborted();
    // $AZURE_CREDENTIALS_FILE is set by every installation with a Secret, whether or not it holds Azure's.
    if (own === undefined) return emptyFile(path, "cannot be read");
    throw unusable(path, "cannot be read; check the Secret that the location names", error);
  }
  try {
    const { values } = parseDotenv(text);
    return {
      path,
      isOwn: own !== undefined,
      line: (name) => values.get(name) || undefined,
      description: `the credentials file "${path}"`,
    };
  } catch (error) {
    // Another cloud's file, as above; one of Azure's with a mistake in it must not pass for that.
    if (own === undefined && !/^\s*(?:export\s+)?AZURE_/m.test(text)) return emptyFile(path, "is not Azure's");
    const reason = error instanceof Error ? error.message : String(error);
    throw unusable(path, `cannot be parsed (${reason}); it holds lines such as AZURE_CLIENT_ID=…`, error);
  }
}

function emptyFile(path?: string, fault = ""): CredentialsFile {
  const description = path === undefined ? "the environment" : `the environment (the file "${path}" ${fault})`;
  return { path: undefined, isOwn: false, line: () => undefined, description };
}

function isUnfinished(text: string, ageMs: number, expectedLine: string | undefined): boolean {
  if (text.trim() === "") return true;
  try {
    const { values, hasOpenQuote } = parseDotenv(text);
    const isAwaited = expectedLine !== undefined && !values.get(expectedLine);
    return (isAwaited || hasOpenQuote) && ageMs < recentlyWrittenMs;
  } catch {
    // Broken off in the middle of a line, or another cloud's file, which will not become ours by waiting.
    return ageMs < recentlyWrittenMs;
  }
}

function unusable(path: string, what: string, cause: unknown): PluginError {
  return new PluginError(`the credentials file "${path}" ${what}`, { kind: "invalid-config", cause });
}
