import { printChecksum } from "@flotilla/sdk/objects";
import type { ObjectDescription } from "@flotilla/sdk/plugin";
import { isRecord } from "./answers.ts";
import { checksumOfMetadata } from "./gcs-checksums.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The fields that a description needs. */
export const describedFields =
  "size,crc32c,generation,updated,temporaryHold,eventBasedHold,retentionExpirationTime,retention";

/** What an object's metadata tell, in the contract's form. */
export function describeMetadata(metadata: Fields): ObjectDescription {
  const checksum = checksumOfMetadata(metadata);
  const { size, generation } = metadata;
  return {
    sizeBytes: BigInt(typeof size === "string" && /^\d+$/.test(size) ? size : 0),
    checksum: checksum && { algorithm: "crc32c", value: printChecksum(checksum), scope: "full-object" },
    version: typeof generation === "string" ? generation : "",
    lastModified: dateOf(metadata["updated"]),
    hold: describeHold(metadata),
  };
}

function describeHold(metadata: Fields): string {
  const holds: string[] = [];
  const { retention } = metadata;
  const locked = isRecord(retention) ? dateOf(retention["retainUntilTime"]) : undefined;
  const mode = isRecord(retention) ? String(retention["mode"]).toLowerCase() : "";
  if (isAhead(locked)) holds.push(`retained until ${locked.toISOString()} (${mode})`);
  const policy = dateOf(metadata["retentionExpirationTime"]);
  if (isAhead(policy) && policy.getTime() !== locked?.getTime())
    holds.push(`retained until ${policy.toISOString()} (the bucket's policy)`);
  if (metadata["temporaryHold"] === true) holds.push("under a temporary hold");
  if (metadata["eventBasedHold"] === true) holds.push("under an event-based hold");
  return holds.join(", ");
}

function isAhead(date: Date | undefined): date is Date {
  return date !== undefined && date.getTime() > Date.now();
}

function dateOf(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
