import { isJsonObject } from "@flotilla/sdk/plugin";
import type { JsonObject, JsonValue } from "@flotilla/sdk/plugin";

/** How far restic is, from one of its `status` messages. */
export interface ResticStatus {
  readonly files: bigint;
  readonly bytes: bigint;
  readonly totalFiles: bigint;
  readonly totalBytes: bigint;
}

/** A file that restic could not read. */
export interface UnreadFile {
  readonly item: string;
  readonly reason: string;
  /** Whether it was deleted while the backup ran: nothing that a backup a moment later would hold. */
  readonly isGone: boolean;
}

/** Reads a `status` message of backup or restore, or the `summary` of a restore; undefined for any other. */
export function readStatus(message: JsonObject): ResticStatus | undefined {
  const { message_type: type } = message;
  if (type !== "status" && (type !== "summary" || message["files_restored"] === undefined)) return undefined;
  return {
    files: amount(message["files_done"] ?? message["files_restored"]),
    bytes: amount(message["bytes_done"] ?? message["bytes_restored"]),
    totalFiles: amount(message["total_files"]),
    totalBytes: amount(message["total_bytes"]),
  };
}

/** What the `summary` of a backup says; undefined for any other message. */
export interface BackupSummary {
  readonly snapshotId: string;
  readonly files: bigint;
  readonly bytes: bigint;
  readonly addedBytes: bigint;
}

/** Reads the `summary` of a backup; undefined for any other message. */
export function readSummary(message: JsonObject): BackupSummary | undefined {
  const { message_type: type, snapshot_id: snapshotId } = message;
  if (type !== "summary" || typeof snapshotId !== "string") return undefined;
  return {
    snapshotId,
    files: amount(message["total_files_processed"]),
    bytes: amount(message["total_bytes_processed"]),
    addedBytes: amount(message["data_added"]),
  };
}

const noSuchFile = "no such file or directory";
const errorTexts: ReadonlyMap<number, string> = new Map([
  [1, "operation not permitted"],
  [2, noSuchFile],
  [5, "input/output error"],
  [13, "permission denied"],
  [116, "stale file handle"],
]);

/** Reads an `error` message of a backup; undefined for any other, and for the count that goes before the reading. */
export function readError(message: JsonObject): UnreadFile | undefined {
  if (message["message_type"] !== "error" || message["during"] === "scan") return undefined;
  const error = message["error"];
  const [text, number] = isJsonObject(error) ? [error["message"], error["Err"]] : [error, undefined];
  const reason = typeof text === "string" ? text : reasonOf(number);
  const item = message["item"];
  return {
    item: typeof item === "string" ? item : "",
    reason,
    isGone: reason.endsWith(noSuchFile),
  };
}

/** Versions before 0.16 print the number of the error instead of its text, or nothing. */
function reasonOf(number: JsonValue | undefined): string {
  if (typeof number !== "number") return "it could not be read";
  return errorTexts.get(number) ?? `error ${number}`;
}

function amount(value: JsonValue | undefined): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  // A number beyond a double keeps its text.
  const text = typeof value === "object" && value !== null && "rawJSON" in value ? value.rawJSON : undefined;
  return typeof text === "string" && /^\d+$/.test(text) ? BigInt(text) : 0n;
}
