import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";

/** What tells repositories apart, and what is cut alike in them. */
export interface RepositoryIdentity {
  readonly id: string;
  /** Files are found twice only where both were cut by the same one. */
  readonly polynomial: string;
}

/** Reads the answer of `restic cat config`; undefined where it is another. */
export function readIdentity(output: string): RepositoryIdentity | undefined {
  try {
    const config = parseJson(output);
    const { id, chunker_polynomial: polynomial } = isJsonObject(config) ? config : {};
    return typeof id === "string" && typeof polynomial === "string" ? { id, polynomial } : undefined;
  } catch {
    // No JSON at all is as little of an answer.
    return undefined;
  }
}

/** Reads the answer of `restic cat config`. Throws where it is another. */
export function parseIdentity(output: string, attempt: string): RepositoryIdentity {
  const identity = readIdentity(output);
  if (identity !== undefined) return identity;
  throw new PluginError(`${attempt}: restic's answer is not what its versions up to 0.18 give`, { kind: "internal" });
}
