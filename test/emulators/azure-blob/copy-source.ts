import { flipByte } from "../fault-body.ts";
import { findFault } from "../faults.ts";
import { readSlice } from "../file-slice.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { BlobMeta } from "./blob-meta.ts";
import type { Call } from "./call.ts";
import { checkClaims, checkMd5Form, ChecksumMeter } from "./checksums.ts";
import type { ReceivedBody } from "./body.ts";
import { checkSourceConditions } from "./conditions.ts";
import { checkSourceKey } from "./encryption.ts";
import { findBlob } from "./find-blob.ts";

/** The source of a copy, opened at the part that is to be copied. */
export interface CopySource {
  readonly url: string;
  readonly size: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What is known of a blob of this stand-in; undefined for what lies elsewhere. */
  readonly meta: BlobMeta | undefined;
  read(): AsyncIterable<Buffer>;
}

const copiedHeaders = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-type",
];

// Documented: two kibibytes.
const maxSourceUrlBytes = 2048;

/** Opens what x-ms-copy-source names; a source that is not there or may not be read is CannotVerifyCopySource. */
export async function openSource(call: Call, range?: string): Promise<CopySource> {
  const text = call.headers.get("x-ms-copy-source") ?? "";
  if (text.length > maxSourceUrlBytes) throw invalidHeader("x-ms-copy-source", text);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalidHeader("x-ms-copy-source", text);
  }
  const bearer = call.headers.get("x-ms-copy-source-authorization");
  const own = await asSourceError(async () => await openOwn(call, url, bearer, range));
  return own ?? (await openElsewhere(url, bearer, range));
}

/** Pours a source into a sink and checks the MD5 that the client says it has. */
export async function pourSource(
  call: Call,
  source: CopySource,
  sink: { write(chunk: Buffer): Promise<void> },
): Promise<ReceivedBody> {
  const md5 = call.headers.get("x-ms-source-content-md5");
  const crc64 = call.headers.get("x-ms-source-content-crc64");
  if (md5 !== undefined) checkMd5Form(md5);
  const meter = new ChecksumMeter({ md5: true, crc64: crc64 !== undefined });
  const corrupt = findFault(call.met, "corrupt-copy");
  let size = 0;
  for await (const read of source.read()) {
    const chunk = corrupt === undefined ? read : flipByte(read, corrupt.atByte - size);
    size += chunk.length;
    meter.update(chunk);
    await sink.write(chunk);
  }
  if (size !== source.size) throw new BlobError("CannotVerifyCopySource");
  const computed = meter.digest();
  checkClaims({ md5s: md5 === undefined ? [] : [md5], crc64 }, computed);
  return { size, ...computed };
}

async function openOwn(
  call: Call,
  url: URL,
  bearer: string | undefined,
  range: string | undefined,
): Promise<CopySource | undefined> {
  const address = call.authorizeSource(url, bearer);
  if (address === undefined) return undefined;
  const container = call.state.container(address.account, address.containerName);
  const { meta, path } = await findBlob(call, container, address.blobName, address.query);
  checkSourceConditions(call.headers, meta);
  checkSourceKey(call, meta.encryption);
  if (meta.tier === "Archive") throw new BlobError("BlobArchived");
  const { start, length } = partOf(range, meta.size);
  return {
    url: url.href,
    size: length,
    headers: meta.headers,
    meta,
    read: () => readSlice({ path, start, length }),
  };
}

async function openElsewhere(url: URL, bearer: string | undefined, range: string | undefined): Promise<CopySource> {
  const headers = {
    ...(bearer === undefined ? {} : { authorization: bearer }),
    ...(range === undefined ? {} : { range }),
  };
  let response: Response;
  try {
    response = await fetch(url, { headers, redirect: "error" });
  } catch (cause) {
    throw new BlobError("CannotVerifyCopySource", { Cause: String(cause) });
  }
  const { body } = response;
  if (!response.ok || body === null) {
    throw new BlobError(
      "CannotVerifyCopySource",
      { CopySourceStatusCode: String(response.status), CopySourceErrorMessage: await response.text() },
      { status: response.status, message: response.statusText },
    );
  }
  const found = copiedHeaders.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const length = response.headers.get("content-length");
  if (length === null) throw new BlobError("CannotVerifyCopySource", { Cause: "the source does not tell its length" });
  return {
    url: url.href,
    size: Number(length),
    headers: Object.fromEntries(found),
    meta: undefined,
    read: () => buffers(body),
  };
}

async function* buffers(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of body) yield Buffer.from(chunk);
}

async function asSourceError<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const isOurs = error instanceof BlobError && !["SourceConditionNotMet", "InvalidHeaderValue"].includes(error.code);
    if (!isOurs) throw error;
    throw new BlobError(
      "CannotVerifyCopySource",
      {
        CopySourceStatusCode: String(error.status),
        CopySourceErrorCode: error.code,
        CopySourceErrorMessage: error.message,
      },
      { status: error.status, message: error.message },
    );
  }
}

function partOf(range: string | undefined, size: number): { readonly start: number; readonly length: number } {
  if (range === undefined) return { start: 0, length: size };
  const match = /^bytes=(\d+)-(\d*)$/.exec(range);
  const [, first = "", last = ""] = match ?? [];
  const start = Number(first);
  const end = last === "" ? size - 1 : Number(last);
  if (match === null || end < start) throw invalidHeader("x-ms-source-range", range);
  if (start >= size) throw new BlobError("InvalidRange");
  return { start, length: Math.min(end, size - 1) - start + 1 };
}
