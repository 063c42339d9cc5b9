import { createHash, randomBytes } from "node:crypto";

import { Storage } from "@google-cloud/storage";
import type { Bucket, File, StorageOptions } from "@google-cloud/storage";
import { OAuth2Client, PassThroughClient } from "google-auth-library";

import { createCrc32c } from "../../crc.ts";

/** The service that is probed. */
export interface GcsTarget {
  readonly endpoint: string;
  readonly projectId: string;
  /** Of a principal that may do everything. Default: none is sent. */
  readonly token?: string;
  /** A key file in JSON of an account that may do everything; default: signed URLs are made by a key that nobody knows. */
  readonly serviceAccountKey?: string;
  /** A key of Cloud KMS that may be used. */
  readonly kmsKey?: string;
}

/** An answer, as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** The hashes of bytes, as the service writes them. */
export function hashesOf(bytes: Buffer): { readonly crc32c: string; readonly md5Hash: string } {
  const crc = createCrc32c();
  crc.update(bytes);
  return { crc32c: crc.digest().toString("base64"), md5Hash: createHash("md5").update(bytes).digest("base64") };
}

/** What a probe works with: Google's client, plain requests, and a bucket of its own. */
export class GcsContext {
  readonly target: GcsTarget;
  readonly storage: Storage;
  #shared: Promise<Bucket> | undefined;

  constructor(target: GcsTarget) {
    this.target = target;
    const { token } = target;
    const authClient = new OAuth2Client();
    if (token !== undefined) authClient.setCredentials({ access_token: token });
    this.storage = this.newStorage({ authClient: token === undefined ? new PassThroughClient() : authClient });
  }

  /** Makes a client that tries everything once. */
  newStorage(options: StorageOptions): Storage {
    const { endpoint, projectId } = this.target;
    return new Storage({
      apiEndpoint: endpoint,
      // Without it the client sends no token to an endpoint that is not Google's.
      useAuthWithCustomEndpoint: true,
      projectId,
      retryOptions: { autoRetry: false, maxRetries: 0 },
      ...options,
    });
  }

  name(): string {
    return `probe-${randomBytes(6).toString("hex")}`;
  }

  /** Returns the bucket that all probes share which need none of their own. */
  async shared(): Promise<Bucket> {
    this.#shared ??= this.bucket();
    return await this.#shared;
  }

  /** Makes a bucket. */
  async bucket(metadata: Readonly<Record<string, unknown>> = {}): Promise<Bucket> {
    const [bucket] = await this.storage.createBucket(this.name(), metadata);
    return bucket;
  }

  /** Puts an object in one request. */
  async put(bytes: Buffer | string, bucket?: Bucket, name = this.name()): Promise<File> {
    const file = (bucket ?? (await this.shared())).file(name);
    await file.save(bytes, { resumable: false });
    return file;
  }

  /** Sends a request without a client between. */
  async send(
    method: string,
    path: string,
    options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Buffer | string } = {},
  ): Promise<RawAnswer> {
    const { token, endpoint } = this.target;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const url = path.startsWith("http") ? path : `${endpoint}${path}`;
    const { body } = options;
    const response = await fetch(url, {
      method,
      headers: { ...authorization, ...options.headers },
      redirect: "manual",
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
    });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  }

  /** Begins a resumable upload and returns its address. */
  async begin(
    bucket: string,
    name: string,
    options: {
      readonly query?: string;
      readonly resource?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<string> {
    const path = `/upload/storage/v1/b/${bucket}/o?uploadType=resumable&name=${encodeURIComponent(name)}${options.query ?? ""}`;
    const body = JSON.stringify(options.resource ?? {});
    const headers = { "content-type": "application/json", ...options.headers };
    const answer = await this.send("POST", path, { headers, body });
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`no session was begun: ${answer.status} ${answer.body.toString("utf8")}`);
    return location;
  }

  /** Sends a part of an upload, or without bytes the question for its state. */
  async chunk(
    session: string,
    range: string,
    bytes?: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    const body = bytes === undefined ? { body: "" } : { body: bytes };
    return await this.send("PUT", session, { headers: { "content-range": `bytes ${range}`, ...headers }, ...body });
  }

  close(): void {
    // The client holds no connections that keep a process alive.
  }
}

/** Reads an answer's JSON. */
export function jsonOf(answer: RawAnswer): Readonly<Record<string, unknown>> {
  // Only looked at by assertions.
  return JSON.parse(answer.body.toString("utf8")) as Readonly<Record<string, unknown>>;
}

/** Returns the code, the status and the reason of a request of Google's client that is expected to fail. */
export async function reasonOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    // What Google's client throws; its types differ by method.
    const { code, errors, response } = error as {
      code?: unknown;
      errors?: readonly { reason?: string }[];
      response?: { status?: number; data?: { error?: { errors?: readonly { reason?: string }[] } } };
    };
    const reasons = errors ?? response?.data?.error?.errors;
    return `${String(response?.status ?? code)} ${reasons?.[0]?.reason ?? ""}`.trim();
  }
  return "no failure";
}
