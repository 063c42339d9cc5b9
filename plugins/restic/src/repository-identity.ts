import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";

/** What tells repositories apart, and what is cut alike in them. */
export interface RepositoryIdentity {
  readonly id: string;
  /** Files are found twice only where both were cut by the same one. */
  readonly polynomial: string;
}

/** Reads the answer of `restic cat config`. */
export function parseIdentity(output: string, attempt: string): RepositoryIdentity {
  try {
    const config = parseJson(output);
    const { id, chunker_polynomial: polynomial } = isJsonObject(config) ? config : {};
    if (typeof id === "string" && typeof polynomial === "string") return { id, polynomial };
  } catch {
    // No JSON at all is as little of an answer.
  }
  throw new PluginError(`${attempt}: restic's answer is not what its versions up to 0.18 give`, { kind: "internal" });
}
