import { createHash } from "node:crypto";

import type { Sink } from "../file-sink.ts";
import type { Call } from "./call.ts";
import {
  badChecksum,
  checkForm,
  checksumHeader,
  checksumInHeaders,
  createDigest,
  parseAlgorithm,
  algorithms,
} from "./checksums.ts";
import type { Algorithm } from "./checksums.ts";
import { decodeChunked } from "./chunked.ts";
import { S3Error } from "./s3-error.ts";

/** What is known of a body once it has arrived and everything the client claimed about it has been checked. */
export interface ReceivedBody {
  readonly size: number;
  /** Hex; undefined where it was not asked for. */
  readonly md5: string | undefined;
  /** Base64. */
  readonly checksum: { readonly algorithm: Algorithm; readonly value: string };
}

/** The largest object of one request, and the largest part. */
export const maxPutBytes = 5 * 1024 ** 3;

const maxDocumentBytes = 8 * 1024 ** 2;

/** Reads the body into the sink and checks it against Content-MD5, checksum, payload hash and length. */
export async function receiveBody(
  call: Call,
  sink: Sink,
  options: { readonly defaultAlgorithm: Algorithm; readonly needsMd5: boolean },
): Promise<ReceivedBody> {
  const claims = readClaims(call);
  const algorithm = claims.checksum?.algorithm ?? claims.trailer ?? options.defaultAlgorithm;
  const digest = createDigest(algorithm);
  const md5 = options.needsMd5 || claims.md5 !== undefined ? createHash("md5") : undefined;
  const trailers = new Map<string, string>();
  let size = 0;
  for await (const chunk of openBody(call, claims, trailers)) {
    size += chunk.length;
    if (size > claims.size) break;
    digest.update(chunk);
    md5?.update(chunk);
    await sink.write(chunk);
  }
  if (size !== claims.size) throw new S3Error("IncompleteBody");
  const value = digest.digest().toString("base64");
  checkClaimedChecksum(claims, trailers, algorithm, value);
  return { size, md5: checkMd5(claims.md5, md5?.digest()), checksum: { algorithm, value } };
}

/** Reads a document; `needsDigest` refuses one that comes without any checksum, as S3 does for some operations. */
export async function receiveDocument(call: Call, options: { readonly needsDigest?: boolean } = {}): Promise<string> {
  const { headers } = call;
  const hasDigest =
    headers.has("content-md5") || headers.has("x-amz-trailer") || checksumInHeaders(headers) !== undefined;
  if (options.needsDigest === true && !hasDigest) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const length = Number(headers.get("x-amz-decoded-content-length") ?? headers.get("content-length") ?? 0);
  if (length > maxDocumentBytes) throw new S3Error("MalformedXML");
  const chunks: Buffer[] = [];
  const sink: Sink = {
    write: (chunk) => {
      chunks.push(chunk);
      return Promise.resolve();
    },
  };
  await receiveBody(call, sink, { defaultAlgorithm: "CRC32", needsMd5: false });
  return Buffer.concat(chunks).toString("utf8");
}

/** Names the algorithm whose checksum the request carries, in a header or in the trailer. */
export function claimedAlgorithm(call: Call): Algorithm | undefined {
  return checksumInHeaders(call.headers)?.algorithm ?? trailerAlgorithm(call.headers);
}

interface Claims {
  readonly size: number;
  readonly md5: string | undefined;
  readonly checksum: { readonly algorithm: Algorithm; readonly value: string } | undefined;
  /** The algorithm of the checksum that will come in the trailer. */
  readonly trailer: Algorithm | undefined;
  readonly payload: Payload;
}

type Payload =
  | { readonly kind: "unsigned" }
  | { readonly kind: "signed"; readonly hash: string }
  | { readonly kind: "chunked"; readonly isSigned: boolean; readonly hasTrailer: boolean };

function readClaims(call: Call): Claims {
  const { headers } = call;
  const payload = readPayload(call);
  const checksum = checksumInHeaders(headers);
  const trailer = trailerAlgorithm(headers);
  const announced = headers.get("x-amz-sdk-checksum-algorithm");
  if (announced !== undefined) checkAnnounced(parseAlgorithm(announced), checksum?.algorithm ?? trailer);
  if (trailer !== undefined && (payload.kind !== "chunked" || !payload.hasTrailer)) {
    throw new S3Error("InvalidRequest", "The x-amz-trailer header is only valid with a trailing chunked payload.");
  }
  return { size: bodySize(headers, payload), md5: contentMd5(headers), checksum, trailer, payload };
}

function checkAnnounced(announced: Algorithm, carried: Algorithm | undefined): void {
  if (carried === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  if (carried !== announced) {
    throw new S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
}

function readPayload(call: Call): Payload {
  const value = call.headers.get("x-amz-content-sha256");
  if (value === undefined || value === "UNSIGNED-PAYLOAD") return { kind: "unsigned" };
  switch (value) {
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      return { kind: "chunked", isSigned: true, hasTrailer: false };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { kind: "chunked", isSigned: true, hasTrailer: true };
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return { kind: "chunked", isSigned: false, hasTrailer: true };
    default:
  }
  if (/^[\da-f]{64}$/.test(value)) return { kind: "signed", hash: value };
  throw new S3Error(
    "InvalidArgument",
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.",
  );
}

function bodySize(headers: ReadonlyMap<string, string>, payload: Payload): number {
  const decoded = headers.get("x-amz-decoded-content-length");
  if (headers.has("transfer-encoding") && (payload.kind !== "chunked" || decoded === undefined)) {
    throw new S3Error("NotImplemented", undefined, { details: { Header: "Transfer-Encoding" } });
  }
  const text = payload.kind === "chunked" ? decoded : headers.get("content-length");
  if (text === undefined || !/^\d+$/.test(text)) throw new S3Error("MissingContentLength");
  const size = Number(text);
  if (size <= maxPutBytes) return size;
  throw new S3Error("EntityTooLarge", undefined, {
    details: { ProposedSize: String(size), MaxSizeAllowed: String(maxPutBytes) },
  });
}

function contentMd5(headers: ReadonlyMap<string, string>): string | undefined {
  const value = headers.get("content-md5");
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value, "base64");
  if (bytes.length !== 16 || bytes.toString("base64") !== value) throw new S3Error("InvalidDigest");
  return value;
}

function checkClaimedChecksum(
  claims: Claims,
  trailers: ReadonlyMap<string, string>,
  algorithm: Algorithm,
  computed: string,
): void {
  const claimed = claims.checksum?.value ?? trailerValue(claims.trailer, trailers);
  if (claimed !== undefined && claimed !== computed) throw badChecksum(algorithm);
}

function checkMd5(claimed: string | undefined, computed: Buffer | undefined): string | undefined {
  const value = computed?.toString("base64");
  if (claimed === undefined || claimed === value) return computed?.toString("hex");
  throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.", {
    details: { ExpectedDigest: claimed, CalculatedDigest: value ?? "" },
  });
}

function trailerNames(headers: ReadonlyMap<string, string>): readonly string[] {
  const value = headers.get("x-amz-trailer");
  return value === undefined ? [] : value.split(",").map((name) => name.trim().toLowerCase());
}

function trailerAlgorithm(headers: ReadonlyMap<string, string>): Algorithm | undefined {
  const [name, ...others] = trailerNames(headers);
  if (name === undefined) return undefined;
  const algorithm = algorithms.find((known) => checksumHeader(known) === name);
  if (algorithm !== undefined && others.length === 0) return algorithm;
  throw new S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported");
}

function trailerValue(algorithm: Algorithm | undefined, trailers: ReadonlyMap<string, string>): string | undefined {
  if (algorithm === undefined) return undefined;
  const value = trailers.get(checksumHeader(algorithm));
  if (value === undefined) throw new S3Error("MalformedTrailerError");
  checkForm(algorithm, value);
  return value;
}

function openBody(call: Call, claims: Claims, trailers: Map<string, string>): AsyncIterable<Buffer> {
  const { payload } = claims;
  if (payload.kind === "unsigned") return call.openRawBody();
  if (payload.kind === "signed") return checkHash(call.openRawBody(), payload.hash);
  const { timestamp, scope, signature } = call.claim;
  const signing = { key: call.signingKey, timestamp, scope, seed: signature };
  return decodeChunked(
    call.openRawBody(),
    {
      signing: payload.isSigned ? signing : undefined,
      trailerNames: payload.hasTrailer ? trailerNames(call.headers) : [],
    },
    trailers,
  );
}

async function* checkHash(source: AsyncIterable<Buffer>, expected: string): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const computed = hash.digest("hex");
  if (computed === expected) return;
  throw new S3Error("XAmzContentSHA256Mismatch", undefined, {
    details: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: computed },
  });
}
