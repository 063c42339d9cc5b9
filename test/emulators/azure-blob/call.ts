import type { IncomingMessage } from "node:http";

import type { Principal } from "../azure-identity/tokens.ts";
import type { Fault } from "../faults.ts";
import type { OpenSlice } from "../file-slice.ts";
import { BlobError } from "./blob-error.ts";
import type { Container } from "./container.ts";
import type { BlobState, StorageAccount } from "./state.ts";

/** How a request proved that it may be answered. */
export type Authorization =
  | { readonly kind: "shared-key" }
  | { readonly kind: "sas"; readonly permissions: ReadonlySet<string>; readonly encryptionScope: string | undefined }
  | { readonly kind: "token"; readonly principal: Principal };

/** One authorized request. */
export interface Call {
  readonly operation: string;
  readonly method: string;
  readonly account: StorageAccount;
  readonly containerName: string | undefined;
  readonly blobName: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  /** The API version that the request names; decides on limits and what is answered. */
  readonly version: string;
  readonly authorization: Authorization;
  readonly state: BlobState;
  readonly now: Date;
  readonly isSecure: boolean;
  /** `http://127.0.0.1:PORT/ACCOUNT`, as documents name it. */
  readonly endpoint: string;
  readonly met: readonly Fault[];
  readonly request: IncomingMessage;
  readonly openRawBody: () => AsyncIterable<Buffer>;
  /** Authorizes a read of a blob of this stand-in by what stands in its URL or in a header. */
  readonly authorizeSource: (url: URL, bearer: string | undefined) => SourceBlob | undefined;
}

/** A blob of this stand-in that may be read as the source of a copy. */
export interface SourceBlob {
  readonly account: StorageAccount;
  readonly containerName: string;
  readonly blobName: string;
  readonly query: ReadonlyMap<string, string>;
}

/** What an operation answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  /** An XML document. */
  readonly body?: string;
  readonly file?: OpenSlice;
}

/** An operation. */
export type Handler = (call: Call) => Promise<Answer> | Answer;

/** Returns the container that the request addresses. */
export function containerOf(call: Call): Container {
  if (call.containerName === undefined) throw new BlobError("InvalidUri");
  return call.state.container(call.account, call.containerName);
}

/** Returns the blob name that the request addresses. */
export function blobNameOf(call: Call): string {
  if (call.blobName === undefined) throw new BlobError("InvalidUri");
  return call.blobName;
}
