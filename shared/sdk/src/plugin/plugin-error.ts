/**
 * What went wrong, as a closed set. The kind, never the text, decides the gRPC code and what callers do next.
 *
 * - `not-found`: the object, snapshot or volume is truly absent. The only kind whose text may say "not found":
 *   the server goes on with a deletion when it reads those words.
 * - `denied`: the identity is unknown, expired or lacks a permission.
 * - `invalid-config`: a key of the location, or a file that it names, is wrong; opening again without a change cannot help.
 * - `invalid-argument`: the request itself is wrong (a key too long, an id of another form).
 * - `corrupt`: bytes differ from their recorded checksum, or a structure is broken.
 * - `incomplete`: the source ended early; nothing was stored.
 * - `conflict`: the object changed under the operation, or a precondition failed.
 * - `held`: a retention, a legal hold or another user (a snapshot in use) forbids it for now.
 * - `unavailable`: the service did not answer, answered 5xx, or throttled; a later try may succeed.
 * - `timeout`: no answer or no progress within the bound.
 * - `unsupported`: this store or plugin cannot do it.
 * - `internal`: a fault of ours.
 */
export type PluginErrorKind =
  | "not-found"
  | "denied"
  | "invalid-config"
  | "invalid-argument"
  | "corrupt"
  | "incomplete"
  | "conflict"
  | "held"
  | "unavailable"
  | "timeout"
  | "unsupported"
  | "internal";

/** Options of a {@link PluginError}. */
export interface PluginErrorOptions {
  readonly kind: PluginErrorKind;
  /** What the cloud answered, for example `AccessDenied`. */
  readonly code?: string | undefined;
  /** The id under which the cloud's support finds the request. */
  readonly requestId?: string | undefined;
  /** When the service asked to be asked again; sooner is no use. */
  readonly retryAfterMs?: number | undefined;
  /** Kept for logs; never sent to the server. */
  readonly cause?: unknown;
}

/**
 * The one error that plugins throw. Its message says what was tried, on what, what the cloud answered and what to do:
 * `put object "backups/a/a.tar.gz" in bucket "b": access denied (AccessDenied, request 4F2A); grant s3:PutObject`.
 * It ends up in Kubernetes objects and logs, so it holds no secret.
 */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly kind: PluginErrorKind;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: PluginErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = options.kind;
    this.code = options.code;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Turns anything thrown into a PluginError; what is one already passes unchanged. */
  static from(thrown: unknown): PluginError {
    if (thrown instanceof PluginError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new PluginError(message, { kind: isAbort(thrown) ? "timeout" : "internal", cause: thrown });
  }
}

/** Whether the thrown value is a PluginError of this kind. */
export function isKind(thrown: unknown, kind: PluginErrorKind): thrown is PluginError {
  return thrown instanceof PluginError && thrown.kind === kind;
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
}
