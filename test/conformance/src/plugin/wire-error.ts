import { isServiceError } from "@flotilla/host";
import { status } from "@grpc/grpc-js";

/** The status with which a plugin answered a call, as the server would print it. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: status;
  /** The plugin's own text. */
  readonly details: string;
  /** Whether a `generated.Stack` came along. */
  readonly hasDetails: boolean;

  constructor(code: status, details: string, hasDetails: boolean) {
    super(`rpc error: code = ${status[code]} desc = ${details}`);
    this.code = code;
    this.details = details;
    this.hasDetails = hasDetails;
  }

  /** Anything that a call threw; what is no status passes. */
  static from(thrown: unknown): unknown {
    if (thrown instanceof WireError || !isServiceError(thrown)) return thrown;
    return new WireError(thrown.code, thrown.details, thrown.metadata.get("grpc-status-details-bin").length > 0);
  }
}

const absenceWords = ["not found", "does not exist", "nosuchkey", "blobnotfound", "objectnotexist"];

/**
 * The words by which the server takes a failed GetObject of a backup's tarball for "it is gone", and then deletes the
 * backup without running its delete actions (isTarballNotFoundError, pkg/controller/backup_deletion_controller.go).
 */
export function absenceWordIn(text: string): string | undefined {
  return absenceWords.find((word) => text.toLowerCase().includes(word));
}
