import type { Sink } from "../file-sink.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import type { Call } from "./call.ts";
import { checkClaims, ChecksumMeter, readClaims } from "./checksums.ts";
import type { Checksums } from "./checksums.ts";

/** What is known of a body once it has arrived and everything the client claimed about it has been checked. */
export interface ReceivedBody extends Checksums {
  readonly size: number;
}

const maxDocumentBytes = 16 * 1024 ** 2;

/** Returns the length that a request announces; throws where it is missing or above the limit. */
export function announcedSize(call: Call, maxBytes: number): number {
  const text = call.headers.get("content-length");
  if (text === undefined) throw new BlobError("MissingContentLengthHeader");
  const size = Number(text);
  if (!/^\d+$/.test(text)) throw invalidHeader("Content-Length", text);
  if (size > maxBytes) throw new BlobError("RequestBodyTooLarge", { MaxLimit: String(maxBytes) });
  return size;
}

/** Reads the body into the sink and checks it against its length and checksums. */
export async function receiveBody(
  call: Call,
  sink: Sink,
  options: { readonly maxBytes: number; readonly isWholeBlob: boolean },
): Promise<ReceivedBody> {
  // Never accept bytes whose framing would be stored as data.
  if (call.headers.has("x-ms-structured-body")) {
    throw new BlobError("UnsupportedHeader", { HeaderName: "x-ms-structured-body" });
  }
  const expected = announcedSize(call, options.maxBytes);
  const claims = readClaims(call.headers, options.isWholeBlob);
  const wantsMd5 = options.isWholeBlob || claims.md5s.length > 0;
  const meter = new ChecksumMeter({ md5: wantsMd5, crc64: claims.crc64 !== undefined || !wantsMd5 });
  let size = 0;
  for await (const chunk of call.openRawBody()) {
    size += chunk.length;
    meter.update(chunk);
    await sink.write(chunk);
  }
  if (size !== expected) throw new BlobError("InvalidInput");
  const computed = meter.digest();
  checkClaims(claims, computed);
  return { size, ...computed };
}

/** Reads a document, checked like every body. */
export async function receiveDocument(call: Call): Promise<ReceivedBody & { readonly text: string }> {
  const chunks: Buffer[] = [];
  const sink: Sink = {
    write: (chunk) => {
      chunks.push(chunk);
      return Promise.resolve();
    },
  };
  const body = await receiveBody(call, sink, { maxBytes: maxDocumentBytes, isWholeBlob: false });
  return { ...body, text: Buffer.concat(chunks).toString("utf8") };
}

/** Returns the headers in which the checksums of what was received are returned. */
export function receivedHeaders(body: Checksums): Record<string, string | undefined> {
  return { "content-md5": body.md5, "x-ms-content-crc64": body.crc64 };
}
