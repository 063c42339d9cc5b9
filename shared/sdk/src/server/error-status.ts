import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import type { ServerErrorResponse, StatusObject } from "@grpc/grpc-js";

import { PluginError } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";
import { errorKindTrailer, StatusSchema, velero } from "../wire/index.ts";
import { withAbsenceWords, withoutAbsenceWords } from "./error-words.ts";
import { stackFrames } from "./stack-frames.ts";
import { thrownText } from "./thrown-text.ts";

/** An error as it crosses the wire. */
export type ErrorStatus = StatusObject & Pick<ServerErrorResponse, "name" | "message">;

const codes: Readonly<Record<PluginErrorKind, status>> = {
  "not-found": status.NOT_FOUND,
  denied: status.PERMISSION_DENIED,
  "invalid-config": status.FAILED_PRECONDITION,
  "invalid-argument": status.INVALID_ARGUMENT,
  corrupt: status.DATA_LOSS,
  incomplete: status.CANCELLED,
  conflict: status.ABORTED,
  held: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  unsupported: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
};

/** HTTP/2 headers are bounded, and the text travels twice: percent-encoded and in base64. */
const maxTextLength = 4096;

/**
 * The status that answers a call for what it threw. A PluginError keeps its kind; anything else is a fault of ours that
 * is answered the way the server's own library answers a panic, and the process goes on.
 */
export function errorStatus(thrown: unknown): ErrorStatus {
  const isPanic = !(thrown instanceof PluginError);
  const kind = isPanic ? "internal" : thrown.kind;
  const code = isPanic ? status.ABORTED : codes[kind];
  const details = statusText(isPanic ? `plugin panicked: ${thrownText(thrown)}` : thrown.message, kind);
  const metadata = new Metadata();
  metadata.set(errorKindTrailer, kind);
  metadata.set("grpc-status-details-bin", Buffer.from(statusDetails(code, details, thrown)));
  return { name: "ErrorStatus", message: details, code, details, metadata };
}

function statusText(text: string, kind: PluginErrorKind): string {
  // A lone surrogate cannot be percent-encoded: the status would throw instead of being sent.
  const clean = text.toWellFormed();
  const short = clean.length <= maxTextLength ? clean : `${clean.slice(0, maxTextLength).toWellFormed()}… (cut)`;
  return kind === "not-found" ? withAbsenceWords(short) : withoutAbsenceWords(short);
}

function statusDetails(code: status, message: string, thrown: unknown): Uint8Array {
  const stack = create(velero.StackSchema, { frames: stackFrames(thrown).map((frame) => ({ ...frame })) });
  const detail = {
    typeUrl: `type.googleapis.com/${velero.StackSchema.typeName}`,
    value: toBinary(velero.StackSchema, stack),
  };
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: [detail] }));
}
