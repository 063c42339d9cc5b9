import { Readable } from "node:stream";

import type { BlobClient, BlobServiceClient } from "@azure/storage-blob";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, ListQuery, ObjectRef, ObjectStore, PrefixQuery } from "@flotilla/sdk/plugin";

// The official plugin's: blocks of its default size, one after the other.
const blockBytes = 1024 ** 2;
const blocksAtOnce = 1;

/** Blobs as the SDK stores and reads them by itself. */
export class SdkObjectStore implements ObjectStore {
  readonly #service: BlobServiceClient;

  constructor(service: BlobServiceClient) {
    this.#service = service;
  }

  async putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>, { signal }: Call): Promise<void> {
    const source = Readable.from(copiesOf(body), { objectMode: false });
    const blob = this.#blob(object).getBlockBlobClient();
    await blob.uploadStream(source, blockBytes, blocksAtOnce, { abortSignal: signal });
  }

  async objectExists(object: ObjectRef, { signal }: Call): Promise<boolean> {
    return await this.#blob(object).exists({ abortSignal: signal });
  }

  async *getObject(object: ObjectRef, { signal }: Call): AsyncIterable<Uint8Array> {
    const { readableStreamBody } = await this.#blob(object).download(0, undefined, { abortSignal: signal });
    if (readableStreamBody === undefined) return;
    for await (const chunk of readableStreamBody) {
      // A stream without an encoding yields Buffers.
      yield chunk as Buffer;
    }
  }

  async listCommonPrefixes({ bucket, prefix, delimiter }: PrefixQuery, { signal }: Call): Promise<readonly string[]> {
    const container = this.#service.getContainerClient(bucket);
    const items = await Array.fromAsync(container.listBlobsByHierarchy(delimiter, { prefix, abortSignal: signal }));
    return items.filter(({ kind }) => kind === "prefix").map(({ name }) => name);
  }

  async listObjects({ bucket, prefix }: ListQuery, { signal }: Call): Promise<readonly string[]> {
    const container = this.#service.getContainerClient(bucket);
    return (await Array.fromAsync(container.listBlobsFlat({ prefix, abortSignal: signal }))).map(({ name }) => name);
  }

  async deleteObject(object: ObjectRef, { signal }: Call): Promise<void> {
    await this.#blob(object).deleteIfExists({ abortSignal: signal });
  }

  async createSignedUrl(): Promise<string> {
    return await Promise.reject(new PluginError("sign a URL: nothing measures that", { kind: "unsupported" }));
  }

  #blob({ bucket, key }: ObjectRef): BlobClient {
    return this.#service.getContainerClient(bucket).getBlobClient(key);
  }
}

/** A chunk is ours until the next one is asked for, and a stream asks ahead. */
async function* copiesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of body) yield Buffer.from(chunk);
}
