import type {
  DataCheck,
  Finding,
  ListQuery,
  ObjectDescription,
  ObjectInspector,
  ObjectRef,
  ObjectStore,
  PrefixQuery,
  SelfCheck,
} from "@flotilla/sdk/plugin";
import { explicitEndHeader, velero } from "@flotilla/sdk/wire";
import { Metadata } from "@grpc/grpc-js";

import { checkData, checkLocation, describeObject } from "./inspection-client.ts";
import { LocationClient } from "./location-client.ts";
import type { RestartablePlugin } from "./restartable-plugin.ts";
import { clientStream, serverStream, unary } from "./wire-call.ts";
import type { ClientCall } from "./wire-call.ts";

// What the server reads its files with: larger messages would test a plugin with something it never gets.
const putChunkBytes = 16 * 1024;
const nanosecondsPerSecond = 1_000_000_000;
const methods = velero.ObjectStore.method;

/** An object store behind the wire, called as the server calls it; also answers flotilla.v1 where the plugin does. */
export class ObjectStoreClient implements ObjectStore, ObjectInspector, SelfCheck, DataCheck {
  readonly #location: LocationClient;

  constructor(name: string, plugin: RestartablePlugin) {
    this.#location = new LocationClient(name, plugin);
  }

  /** The full implementation name. */
  get name(): string {
    return this.#location.name;
  }

  /** The executable behind it. */
  get command(): string {
    return this.#location.command;
  }

  /** Opens the location: `spec.config`, `bucket`, `prefix`, `caCert` and `credentialsFile` as the server merges them. */
  async init(config: Readonly<Record<string, string>>): Promise<void> {
    await this.#location.open(config, (client) => unary(client, methods.init, { plugin: this.name, config }));
  }

  async putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>, call?: ClientCall): Promise<void> {
    const messages = putMessages({ plugin: this.name, ...object }, body);
    const metadata = new Metadata();
    metadata.set(explicitEndHeader, "true");
    await this.#location.call((client) => clientStream(client, methods.putObject, messages, { ...call, metadata }));
  }

  async objectExists({ bucket, key }: ObjectRef, call?: ClientCall): Promise<boolean> {
    const request = { plugin: this.name, bucket, key };
    return (await this.#location.call((client) => unary(client, methods.objectExists, request, call))).exists;
  }

  async *getObject({ bucket, key }: ObjectRef, call?: ClientCall): AsyncGenerator<Uint8Array, void, undefined> {
    const request = { plugin: this.name, bucket, key };
    const messages = this.#location.stream((client) => serverStream(client, methods.getObject, request, call));
    for await (const message of messages) if (message.data.length > 0) yield message.data;
  }

  async listCommonPrefixes({ bucket, prefix, delimiter }: PrefixQuery, call?: ClientCall): Promise<readonly string[]> {
    const request = { plugin: this.name, bucket, prefix, delimiter };
    return (await this.#location.call((client) => unary(client, methods.listCommonPrefixes, request, call))).prefixes;
  }

  async listObjects({ bucket, prefix }: ListQuery, call?: ClientCall): Promise<readonly string[]> {
    const request = { plugin: this.name, bucket, prefix };
    return (await this.#location.call((client) => unary(client, methods.listObjects, request, call))).keys;
  }

  async deleteObject({ bucket, key }: ObjectRef, call?: ClientCall): Promise<void> {
    const request = { plugin: this.name, bucket, key };
    await this.#location.call((client) => unary(client, methods.deleteObject, request, call));
  }

  async createSignedUrl({ bucket, key }: ObjectRef, ttlSeconds: number, call?: ClientCall): Promise<string> {
    const request = { plugin: this.name, bucket, key, ttl: BigInt(Math.round(ttlSeconds * nanosecondsPerSecond)) };
    return (await this.#location.call((client) => unary(client, methods.createSignedURL, request, call))).url;
  }

  async describeObject(object: ObjectRef, call?: ClientCall): Promise<ObjectDescription> {
    return await this.#location.call((client) => describeObject(client, { plugin: this.name, object }, call));
  }

  async *check(call?: ClientCall): AsyncGenerator<Finding, void, undefined> {
    const { bucket = "", prefix = "" } = this.#location.config;
    const request = { plugin: this.name, kind: "ObjectStore", bucket, prefix };
    yield* this.#location.stream((client) => checkLocation(client, request, call));
  }

  async *checkData(readDataSubset: string, call?: ClientCall): AsyncGenerator<Finding, void, undefined> {
    const { bucket = "", prefix = "" } = this.#location.config;
    const request = { plugin: this.name, kind: "ObjectStore", bucket, prefix, readDataSubset };
    yield* this.#location.stream((client) => checkData(client, request, call));
  }
}

async function* putMessages(
  target: { readonly plugin: string; readonly bucket: string; readonly key: string },
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<typeof target & { readonly body: Uint8Array }, void, undefined> {
  for await (const chunk of body) {
    for (let start = 0; start < chunk.length; start += putChunkBytes) {
      yield { ...target, body: chunk.subarray(start, start + putChunkBytes) };
    }
  }
  // The explicit end: without it a plugin could take a cancelled put for a finished one.
  yield { ...target, body: new Uint8Array(0) };
}
