import { createHash, createHmac } from "node:crypto";
import type { Hash, Hmac } from "node:crypto";
import { request as httpRequest } from "node:http";

import { SignatureV4 } from "@smithy/signature-v4";

/** A request that the SDK's clients would never send. */
export interface RawRequest {
  readonly method: string;
  readonly url: string;
  /** Headers that are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers that are sent without being signed. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly service?: "s3" | "ec2" | "sts";
  readonly region?: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** The answer to it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** Signs a request with the SDK's own signer, which knows nothing of the verifier under test, and sends it. */
export async function signedFetch(raw: RawRequest): Promise<RawAnswer> {
  const url = new URL(raw.url);
  const { service = "s3", region = "us-east-1", credentials, method, body, headers = {} } = raw;
  const isS3 = service === "s3";
  const signer = new SignatureV4({
    service,
    region,
    credentials,
    sha256: NodeSha256,
    uriEscapePath: !isS3,
    applyChecksum: isS3,
  });
  const host = headers["host"] ?? url.host;
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...headers, host },
    body,
  });
  return await send(url, method, { ...signed.headers, ...raw.unsignedHeaders }, body);
}

function send(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer | undefined,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

class NodeSha256 {
  readonly #digest: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest = secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#digest.update(toBytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return await Promise.resolve(this.#digest.digest());
  }

  reset(): void {
    throw new Error("a digest is used once");
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
