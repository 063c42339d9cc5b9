import { homedir } from "node:os";
import { join } from "node:path";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Clock, OpenContext } from "@flotilla/sdk/plugin";
import { readSettledFile, recentlyWrittenMs } from "@flotilla/sdk/secrets";
import { parseObject } from "./answers.ts";

/** Where a location's credentials may stand. */
export interface CredentialsSource {
  /** The location's own key, `credentialsFile`. */
  readonly credentialsFile: string | undefined;
  readonly env: OpenContext["env"];
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** A file of Google credentials. */
export interface CredentialsFile {
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** For messages. */
  readonly description: string;
}

/**
 * Reads the credentials of a location: its own file, else that of $GOOGLE_APPLICATION_CREDENTIALS, else what gcloud left in
 * the home directory. Undefined where there is none, so that the metadata server is asked. A file that is empty or
 * half-written is read again for two seconds. Nothing of it reaches the process's environment, so that several locations
 * keep their own identities.
 */
export async function readCredentialsFile(source: CredentialsSource): Promise<CredentialsFile | undefined> {
  const own = source.credentialsFile;
  if (own !== undefined) return parseFile(own, await read(own, source), "the Secret that the location names");
  const named = source.env["GOOGLE_APPLICATION_CREDENTIALS"];
  if (named) {
    const text = await read(named, source);
    // Every installation with a Secret sets the variable, whichever cloud the Secret is for.
    return isJson(text) ? parseFile(named, text, "GOOGLE_APPLICATION_CREDENTIALS") : undefined;
  }
  const usual = join(source.env["HOME"] || homedir(), ".config/gcloud/application_default_credentials.json");
  const text = await read(usual, source).catch(() => undefined);
  source.signal?.throwIfAborted();
  return text === undefined ? undefined : parseFile(usual, text, "gcloud auth application-default login");
}

async function read(path: string, { signal, clock }: CredentialsSource): Promise<string> {
  try {
    return await readSettledFile(path, { signal, clock, isUnfinished });
  } catch (error) {
    signal?.throwIfAborted();
    throw new PluginError(
      `the credentials file "${path}" cannot be read; check the Secret that holds it, or unset GOOGLE_APPLICATION_CREDENTIALS to use the identity of the node`,
      { kind: "invalid-config", cause: error },
    );
  }
}

function isUnfinished(text: string, ageMs: number): boolean {
  if (text.trim() === "") return true;
  // Broken off in the middle, or another cloud's file, which will not become ours by waiting.
  return ageMs < recentlyWrittenMs && parseObject(text) === undefined;
}

function isJson(text: string): boolean {
  return text.trimStart().startsWith("{");
}

function parseFile(path: string, text: string, origin: string): CredentialsFile {
  const description = `the credentials file "${path}"`;
  const fields = parseObject(text);
  if (fields !== undefined) return { path, fields, description };
  const what = text.trim() === "" ? "is empty" : "is not a JSON object";
  throw new PluginError(`${description} ${what}; check ${origin}`, { kind: "invalid-config" });
}
