import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { PluginError } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import { errorKindTrailer, StatusSchema, velero } from "@flotilla/sdk/wire";
import { status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";

/** A place in the plugin's code, from the server's own Stack detail. */
export interface RemoteFrame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

/** The status that a plugin answered; the cause of the PluginError made from it. */
export class RemoteStatusError extends Error {
  override readonly name = "RemoteStatusError";
  readonly code: status;
  /** Innermost first; empty where the plugin sent none. */
  readonly frames: readonly RemoteFrame[];
  /** Whether the plugin itself sent it; false where the connection broke, or the plugin is not of this project. */
  readonly isAnswer: boolean;

  constructor(error: ServiceError) {
    super(error.details, { cause: error });
    this.code = error.code;
    this.frames = readFrames(error);
    this.isAnswer = error.metadata.get(errorKindTrailer).length > 0;
  }
}

// A record rather than a list, so that a kind added to the contract and forgotten here does not compile.
const knownKinds: Readonly<Record<PluginErrorKind, true>> = {
  "not-found": true,
  denied: true,
  "invalid-config": true,
  "invalid-argument": true,
  corrupt: true,
  incomplete: true,
  conflict: true,
  held: true,
  unavailable: true,
  timeout: true,
  unsupported: true,
  internal: true,
};

/** What a plugin that is not of this project means by a code; ours send the kind itself in a trailer. */
const kindsByCode: Readonly<Partial<Record<status, PluginErrorKind>>> = {
  [status.CANCELLED]: "timeout",
  [status.INVALID_ARGUMENT]: "invalid-argument",
  [status.DEADLINE_EXCEEDED]: "timeout",
  [status.NOT_FOUND]: "not-found",
  [status.ALREADY_EXISTS]: "conflict",
  [status.PERMISSION_DENIED]: "denied",
  [status.UNAUTHENTICATED]: "denied",
  [status.FAILED_PRECONDITION]: "invalid-config",
  [status.UNIMPLEMENTED]: "unsupported",
  [status.UNAVAILABLE]: "unavailable",
  [status.RESOURCE_EXHAUSTED]: "unavailable",
  [status.DATA_LOSS]: "corrupt",
};

/** Turns what a gRPC call threw into a PluginError; anything else passes {@link PluginError.from}. */
export function toPluginError(thrown: unknown): PluginError {
  if (!isServiceError(thrown)) return PluginError.from(thrown);
  const cause = new RemoteStatusError(thrown);
  const message = thrown.details === "" ? `the plugin answered ${status[thrown.code]} without a text` : thrown.details;
  return new PluginError(message, { kind: kindOf(thrown), cause });
}

/** Whether the value is an error of @grpc/grpc-js with a status. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" && "details" in thrown;
}

function kindOf(error: ServiceError): PluginErrorKind {
  const [sent] = error.metadata.get(errorKindTrailer);
  return typeof sent === "string" && isKnownKind(sent) ? sent : (kindsByCode[error.code] ?? "internal");
}

function isKnownKind(text: string): text is PluginErrorKind {
  return Object.hasOwn(knownKinds, text);
}

function readFrames(error: ServiceError): readonly RemoteFrame[] {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(packed)) return [];
  try {
    const stacks = fromBinary(StatusSchema, packed).details.map((detail) => anyUnpack(detail, velero.StackSchema));
    return stacks
      .flatMap((stack) => stack?.frames ?? [])
      .map(({ file, line, function: name }) => ({ file, line, function: name }));
  } catch {
    // A malformed detail must not hide the error that it belongs to.
    return [];
  }
}
