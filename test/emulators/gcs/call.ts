import type { IncomingMessage } from "node:http";

import type { Fault } from "../faults.ts";
import type { FileSlice } from "../file-slice.ts";
import type { Bucket } from "./bucket.ts";
import { invalid } from "./gcs-error.ts";
import { writeObject } from "./object-meta.ts";
import type { ObjectMeta } from "./object-meta.ts";
import type { GcsState } from "./state.ts";

/** What the operations need to know of the stand-in's settings. */
export interface GcsSettings {
  /** How many bytes one request rewrites at most where data are really copied. */
  readonly rewriteBytes: number;
  /** How long an upload session lives. */
  readonly sessionLifetimeMs: number;
  /** How many entries a page of a list has at most. */
  readonly pageSize: number;
}

/** One authenticated request. */
export interface Call {
  readonly operation: string;
  readonly method: string;
  readonly bucketName: string;
  readonly objectName: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  /** What comes behind the object in the path: the destination of a rewrite. */
  readonly destination: { readonly bucket: string; readonly object: string } | undefined;
  readonly isXml: boolean;
  readonly state: GcsState;
  readonly settings: GcsSettings;
  readonly now: Date;
  /** `http://127.0.0.1:PORT`, as links name it. */
  readonly origin: string;
  readonly met: readonly Fault[];
  readonly request: IncomingMessage;
  readonly openBody: () => AsyncIterable<Buffer>;
  /** Who asks: what tokens and signatures stand for. */
  readonly member: string;
  /** Throws where the caller lacks a permission. */
  readonly permit: (permission: string, bucket: string) => void;
}

/** What an operation answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly file?: FileSlice;
  /** Bytes whose number is not known before. */
  readonly stream?: AsyncIterable<Buffer>;
}

/** An operation. */
export type Handler = (call: Call) => Promise<Answer> | Answer;

const maxJsonBytes = 1024 * 1024;

/** Reads a body that is a JSON object, or nothing. */
export async function readJson(call: Call): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of call.openBody()) {
    size += chunk.length;
    if (size > maxJsonBytes) throw invalid("The request body is too large.");
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks));
}

/** Parses a JSON object; nothing counts as an empty one. */
export function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Answered like any other body that is no object.
  }
  throw invalid("Parse Error");
}

/** Writes an object's resource. */
export function resourceOf(
  call: Call,
  bucket: Bucket,
  meta: ObjectMeta,
  hasKey = false,
): Readonly<Record<string, unknown>> {
  const place = { origin: call.origin, bucket: bucket.name, retentionSeconds: bucket.config.retentionSeconds };
  return writeObject(meta, place, hasKey);
}
