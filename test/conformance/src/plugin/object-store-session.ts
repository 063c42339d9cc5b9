import { clientStream, serverStream } from "@flotilla/host";
import { RawPut } from "@flotilla/sdk/testing";
import { velero } from "@flotilla/sdk/wire";

import { callUnary } from "./call-unary.ts";
import { shortened } from "./describe-message.ts";
import type { PluginSession } from "./plugin-session.ts";
import { WireError } from "./wire-error.ts";
import type { LocationConfig } from "../target/target.ts";

/** What the server reads a file with before it sends it on (byteChunkSize, pkg/plugin/framework/object_store_client.go). */
const serverChunkBytes = 16 * 1024;

const methods = velero.ObjectStore.method;

/** How a put differs from the server's usual one. */
export interface PutOptions {
  readonly bucket?: string;
  readonly signal?: AbortSignal;
}

/** One location of an object store, called as the server calls it. */
export class ObjectStoreSession {
  readonly session: PluginSession;
  readonly plugin: string;
  readonly config: LocationConfig;
  readonly bucket: string;

  private constructor(session: PluginSession, plugin: string, config: LocationConfig) {
    this.session = session;
    this.plugin = plugin;
    this.config = config;
    this.bucket = config["bucket"] ?? "";
  }

  /** Opens a location in a process: Init with the config as the server would merge it. */
  static async open(session: PluginSession, plugin: string, config: LocationConfig): Promise<ObjectStoreSession> {
    await callUnary(session, methods.init, { plugin, config });
    return new ObjectStoreSession(session, plugin, config);
  }

  /** Streams an object in messages of at most 16 KiB and half-closes, as the server does. */
  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<void> {
    const { journal } = this.session;
    const size = body instanceof Uint8Array ? `${body.length} bytes` : "a stream";
    journal.sent(`PutObject key=${shortened(JSON.stringify(key))} ${size}`);
    const { bucket = this.bucket, signal } = options;
    await this.#send(chunked(body, { plugin: this.plugin, bucket, key }), signal === undefined ? {} : { signal });
  }

  /** Sends these messages as they are and half-closes: for what the server itself would not send. */
  async putMessages(messages: AsyncIterable<Partial<Omit<velero.PutObjectRequest, "$typeName">>>): Promise<void> {
    this.session.journal.sent("PutObject, message by message");
    await this.#send(messages);
  }

  /**
   * A put made of single HTTP/2 frames, whose stream the test can reset as grpc-go does for a cancelled context. A client
   * of Node's cannot: before it resets a stream it half-closes it, which is how a complete put ends.
   */
  async openRawPut(): Promise<RawPut> {
    return await RawPut.open(this.session.handshake.address);
  }

  /** The message of a put. */
  putMessage(key: string, body: Uint8Array): velero.PutObjectRequest {
    return { $typeName: "generated.PutObjectRequest", plugin: this.plugin, bucket: this.bucket, key, body };
  }

  /** The whole object. */
  async get(key: string, bucket: string = this.bucket): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.read(key, { bucket })) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The object message by message, as fast as the reader asks. Leaving early cancels the call. */
  async *read(
    key: string,
    { bucket = this.bucket, signal }: { readonly bucket?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { journal, client } = this.session;
    journal.sent(`GetObject key=${shortened(JSON.stringify(key))}`);
    const request = { plugin: this.plugin, bucket, key };
    let bytes = 0;
    try {
      for await (const { data } of serverStream(
        client,
        methods.getObject,
        request,
        signal === undefined ? {} : { signal },
      )) {
        bytes += data.length;
        yield data;
      }
      journal.received(`${bytes} bytes, OK`);
    } catch (thrown) {
      const error = WireError.from(thrown);
      journal.received(`${bytes} bytes, then ${String(error)}`);
      throw error;
    }
  }

  async exists(key: string, bucket: string = this.bucket): Promise<boolean> {
    return (await callUnary(this.session, methods.objectExists, { plugin: this.plugin, bucket, key })).exists;
  }

  async listCommonPrefixes(prefix: string, delimiter = "/", bucket: string = this.bucket): Promise<readonly string[]> {
    const request = { plugin: this.plugin, bucket, prefix, delimiter };
    return (await callUnary(this.session, methods.listCommonPrefixes, request)).prefixes;
  }

  async listObjects(prefix: string, bucket: string = this.bucket): Promise<readonly string[]> {
    return (await callUnary(this.session, methods.listObjects, { plugin: this.plugin, bucket, prefix })).keys;
  }

  async delete(key: string, bucket: string = this.bucket): Promise<void> {
    await callUnary(this.session, methods.deleteObject, { plugin: this.plugin, bucket, key });
  }

  /** Seconds on this side; nanoseconds on the wire, as Go's time.Duration. */
  async signUrl(key: string, ttlSeconds: number, bucket: string = this.bucket): Promise<string> {
    const ttl = BigInt(Math.round(ttlSeconds * 1e9));
    return (await callUnary(this.session, methods.createSignedURL, { plugin: this.plugin, bucket, key, ttl })).url;
  }

  async #send(
    messages: AsyncIterable<Partial<Omit<velero.PutObjectRequest, "$typeName">>>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { journal, client } = this.session;
    try {
      await clientStream(client, methods.putObject, messages, options);
      journal.received("OK");
    } catch (thrown) {
      const error = WireError.from(thrown);
      journal.received(String(error));
      throw error;
    }
  }
}

async function* chunked(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  target: { readonly plugin: string; readonly bucket: string; readonly key: string },
): AsyncGenerator<typeof target & { readonly body: Uint8Array }, void, undefined> {
  const pieces = body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces)
    for (let start = 0; start < piece.length; start += serverChunkBytes)
      yield { ...target, body: piece.subarray(start, start + serverChunkBytes) };
}
