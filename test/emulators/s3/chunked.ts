import { createHash, createHmac } from "node:crypto";

import { S3Error } from "./s3-error.ts";

/** What is needed to check the signatures of chunks; absent where the chunks are unsigned. */
interface ChunkSigning {
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  /** The signature of the request's headers, from which the chain starts. */
  readonly seed: string;
}

/** What a chunked body must look like. */
export interface ChunkedOptions {
  readonly signing: ChunkSigning | undefined;
  /** The names announced in x-amz-trailer, lower-case; empty where no trailer is expected. */
  readonly trailerNames: readonly string[];
}

// S3 refuses smaller chunks, but for the last one that has data.
const minChunkBytes = 8192;
const maxLineBytes = 16_384;
const emptyHash = createHash("sha256").digest("hex");

/** Decodes an aws-chunked body: yields its data and puts what the trailer holds into `trailers`. */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  options: ChunkedOptions,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new ChunkReader(source);
  const chain = options.signing === undefined ? undefined : new SignatureChain(options.signing);
  let isLastSeen = false;
  for (;;) {
    const { size, signature } = parseChunkHeader(await reader.readLine());
    if (size > 0 && isLastSeen) throw new S3Error("InvalidChunkSizeError");
    isLastSeen = size < minChunkBytes;
    const hash = chain === undefined ? undefined : createHash("sha256");
    for await (const data of reader.readBytes(size)) {
      hash?.update(data);
      yield data;
    }
    if (chain !== undefined && hash !== undefined) chain.check(signature, hash.digest("hex"));
    if (size === 0) break;
    await reader.expectLineEnd();
  }
  await readTrailers(reader, options, chain, trailers);
}

async function readTrailers(
  reader: ChunkReader,
  options: ChunkedOptions,
  chain: SignatureChain | undefined,
  trailers: Map<string, string>,
): Promise<void> {
  let trailerSignature: string | undefined;
  for (let line = await reader.readLine(); line !== ""; line = await reader.readLine()) {
    const at = line.indexOf(":");
    if (at <= 0) throw new S3Error("MalformedTrailerError");
    const name = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    if (name === "x-amz-trailer-signature") trailerSignature = value;
    else trailers.set(name, value);
  }
  await reader.expectEnd();
  const announced = options.trailerNames.toSorted().join();
  if ([...trailers.keys()].toSorted().join() !== announced) throw new S3Error("MalformedTrailerError");
  if (chain !== undefined && trailers.size > 0) chain.checkTrailers(trailerSignature, trailers);
}

function parseChunkHeader(line: string): { size: number; signature: string | undefined } {
  const match = /^([\da-fA-F]{1,12})(?:;chunk-signature=([\da-f]{64}))?$/.exec(line);
  if (match?.[1] === undefined) throw new S3Error("IncompleteBody", "The request body is not aws-chunked.");
  return { size: Number.parseInt(match[1], 16), signature: match[2] };
}

class SignatureChain {
  readonly #signing: ChunkSigning;
  #previous: string;

  constructor(signing: ChunkSigning) {
    this.#signing = signing;
    this.#previous = signing.seed;
  }

  check(signature: string | undefined, chunkHash: string): void {
    this.#checkNext("AWS4-HMAC-SHA256-PAYLOAD", signature, [emptyHash, chunkHash]);
  }

  checkTrailers(signature: string | undefined, trailers: ReadonlyMap<string, string>): void {
    const text = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("");
    this.#checkNext("AWS4-HMAC-SHA256-TRAILER", signature, [createHash("sha256").update(text).digest("hex")]);
  }

  #checkNext(label: string, signature: string | undefined, hashes: readonly string[]): void {
    const { key, timestamp, scope } = this.#signing;
    const stringToSign = [label, timestamp, scope, this.#previous, ...hashes].join("\n");
    const expected = createHmac("sha256", key).update(stringToSign).digest("hex");
    if (signature !== expected) throw new S3Error("SignatureDoesNotMatch");
    this.#previous = expected;
  }
}

/** Reads lines and runs of bytes from a stream of buffers without copying the runs. */
class ChunkReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async readLine(): Promise<string> {
    for (;;) {
      const at = this.#rest.indexOf("\r\n");
      if (at !== -1) {
        const line = this.#rest.toString("latin1", 0, at);
        this.#rest = this.#rest.subarray(at + 2);
        return line;
      }
      if (this.#rest.length > maxLineBytes) throw new S3Error("IncompleteBody", "The request body is not aws-chunked.");
      const more = await this.#next();
      if (more === undefined) throw new S3Error("IncompleteBody");
      this.#rest = Buffer.concat([this.#rest, more]);
    }
  }

  async *readBytes(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const more = await this.#next();
        if (more === undefined) throw new S3Error("IncompleteBody");
        this.#rest = more;
      }
      const data = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(data.length);
      left -= data.length;
      if (data.length > 0) yield data;
    }
  }

  async expectLineEnd(): Promise<void> {
    if ((await this.readLine()) !== "") throw new S3Error("IncompleteBody", "A chunk is longer than it says.");
  }

  async expectEnd(): Promise<void> {
    if (this.#rest.length > 0 || (await this.#next()) !== undefined) {
      throw new S3Error("IncompleteBody", "There is data after the last chunk.");
    }
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#source.next();
    return done === true ? undefined : value;
  }
}
