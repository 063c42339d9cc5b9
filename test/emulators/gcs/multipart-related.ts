import { parseJson } from "./call.ts";
import type { Call } from "./call.ts";
import { invalid } from "./gcs-error.ts";

/** An upload of metadata and content in one body. */
export interface MultipartUpload {
  readonly resource: Readonly<Record<string, unknown>>;
  /** What the part of the content says of its type. */
  readonly contentType: string | undefined;
  /** The content, which must be read to its end: only that shows whether the body is complete. */
  readonly content: AsyncIterable<Buffer>;
}

const maxHeadBytes = 1024 * 1024;
const blank = Buffer.from("\r\n\r\n");

/** Reads a body of type multipart/related: a part of JSON and a part of content. */
export async function readMultipart(call: Call): Promise<MultipartUpload> {
  const reader = new PartReader(call.openBody(), readBoundary(call.headers.get("content-type") ?? ""));
  await reader.skipPreamble();
  const first = await reader.readHeaders();
  if (!/^application\/json\b/i.test(first.get("content-type") ?? "application/json")) {
    throw invalid("The first part of the body must be application/json.");
  }
  const resource = parseJson(await reader.readWhole());
  const second = await reader.readHeaders();
  return { resource, contentType: second.get("content-type"), content: reader.readPart() };
}

function readBoundary(contentType: string): Buffer {
  const [, quoted, plain] = /^multipart\/related\b.*;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw invalid("Missing or unknown boundary in the Content-Type of a multipart upload.");
  return Buffer.from(`\r\n--${boundary.replaceAll(/^'|'$/g, "")}`);
}

/** Takes a body apart at its boundary. */
class PartReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  #buffer: Buffer = Buffer.from("\r\n");

  constructor(chunks: AsyncIterable<Buffer>, delimiter: Buffer) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** Goes to the first boundary, which needs no line before it. */
  async skipPreamble(): Promise<void> {
    await this.readWhole();
  }

  /** Reads what stands between a boundary and the empty line. */
  async readHeaders(): Promise<ReadonlyMap<string, string>> {
    for (;;) {
      const end = this.#buffer.indexOf(blank);
      if (end !== -1) {
        const lines = this.#buffer.subarray(0, end).toString("utf8").split("\r\n");
        this.#buffer = this.#buffer.subarray(end + blank.length);
        // A boundary that ends the body has no headers behind it.
        if (lines[0]?.startsWith("--") === true) throw invalid("A multipart upload needs two parts.");
        const pairs = lines.map((line): [string, string] => {
          const [name = "", value = ""] = line.split(/:\s*(.*)/s);
          return [name.trim().toLowerCase(), value.trim()];
        });
        return new Map(pairs.filter(([name]) => name !== ""));
      }
      await this.#more();
    }
  }

  /** Reads a part that fits into memory. */
  async readWhole(): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.readPart()) {
      size += chunk.length;
      if (size > maxHeadBytes) throw invalid("The metadata part of the upload is too large.");
      parts.push(chunk);
    }
    return Buffer.concat(parts);
  }

  /** Yields what comes before the next boundary. */
  async *readPart(): AsyncGenerator<Buffer> {
    const keep = this.#delimiter.length - 1;
    for (;;) {
      const at = this.#buffer.indexOf(this.#delimiter);
      if (at !== -1) {
        if (at > 0) yield this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + this.#delimiter.length);
        return;
      }
      // The end of what is here may be the beginning of a boundary.
      const safe = this.#buffer.length - keep;
      if (safe > 0) {
        yield this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw invalid("The multipart body has no end.");
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}
