import { parseEnv } from "node:util";
import { PluginError } from "@flotilla/sdk/plugin";
import { readSettledFile } from "@flotilla/sdk/secrets";
import type { Backend } from "./repository-location.ts";

/** What a location's credentials file says. */
export interface CredentialsFile {
  /** Variables for restic's backend, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** The line RESTIC_PASSWORD. */
  readonly password: string | undefined;
}

const patterns: Readonly<Record<Backend, RegExp | undefined>> = {
  local: undefined,
  sftp: /^SSH_AUTH_SOCK$/,
  rest: /^RESTIC_REST_(?:USERNAME|PASSWORD)$/,
  s3: /^AWS_/,
  azure: /^AZURE_/,
  gs: /^GOOGLE_/,
  swift: /^(?:OS|ST)_/,
  b2: /^B2_/,
  rclone: /^RCLONE_/,
};

/** The variables of an environment that a backend reads. */
export function variablesOf(
  backend: Backend,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && patterns[backend]?.test(name) === true) found[name] = value;
  return found;
}

/** Variables without those that name a region of AWS. */
export function withoutRegion<T>(variables: Readonly<Record<string, T>>): Record<string, T> {
  const { AWS_DEFAULT_REGION: _, AWS_REGION: __, ...others } = variables;
  return others;
}

/**
 * Reads the credentials file of a location: lines NAME=value, of which the backend gets those that it reads, or the
 * files that AWS and Google themselves define, which restic reads on its own.
 */
export async function readCredentialsFile(
  path: string,
  backend: Backend,
  signal: AbortSignal,
): Promise<CredentialsFile> {
  let text: string;
  try {
    text = await readSettledFile(path, { signal, isUnfinished: (read) => read.trim() === "" });
  } catch (error) {
    signal.throwIfAborted();
    throw new PluginError(`the credentials file "${path}" cannot be read; check the Secret that the location names`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  if (backend === "s3" && /^\s*\[[^\]]+\]\s*$/m.test(text))
    return { variables: { AWS_SHARED_CREDENTIALS_FILE: path }, password: undefined };
  if (backend === "gs" && text.trimStart().startsWith("{"))
    return { variables: { GOOGLE_APPLICATION_CREDENTIALS: path }, password: undefined };
  const lines = parseLines(text);
  return { variables: variablesOf(backend, lines), password: lines["RESTIC_PASSWORD"] || undefined };
}

const linePattern =
  /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\r\n]*?)(?:[ \t]+#[^\r\n]*)?[ \t]*\r?$/gm;

/** As Node reads them, but for a # within a word, which Node takes for a comment: a secret may hold one. */
function parseLines(text: string): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = {};
  for (const [line, name, value] of text.matchAll(linePattern)) {
    if (name === undefined || value === undefined) continue;
    values[name] = /^(["'`])[^]*\1$/.test(value) ? parseEnv(line)[name] : value;
  }
  return values;
}
