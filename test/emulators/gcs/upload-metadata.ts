import type { Hashes } from "./hashes.ts";

/** The conditions that an upload may state, by their names in the query. */
export const conditionNames: ReadonlySet<string> = new Set([
  "ifGenerationMatch",
  "ifGenerationNotMatch",
  "ifMetagenerationMatch",
  "ifMetagenerationNotMatch",
]);

/** Reads what a resource says of the hashes of its object. */
export function readClaims(resource: Readonly<Record<string, unknown>>): Partial<Hashes> {
  const { crc32c, md5Hash } = resource;
  return {
    ...(typeof crc32c === "string" ? { crc32c } : {}),
    ...(typeof md5Hash === "string" ? { md5Hash } : {}),
  };
}
