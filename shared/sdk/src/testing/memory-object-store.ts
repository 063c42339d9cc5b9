import { createHash } from "node:crypto";

import { PluginError } from "../plugin/index.ts";
import type {
  Call,
  Finding,
  ListQuery,
  ObjectDescription,
  ObjectInspector,
  ObjectRef,
  ObjectStore,
  PrefixQuery,
  SelfCheck,
} from "../plugin/index.ts";

interface StoredObject {
  readonly bytes: Buffer;
  readonly storedAt: Date;
  readonly version: string;
}

/** How large the chunks of a read are. */
const chunkBytes = 64 * 1024;

/** An object store in memory that keeps the whole contract. Its buckets are those that it is made with. */
export class MemoryObjectStore implements ObjectStore, ObjectInspector, SelfCheck {
  readonly #buckets: ReadonlyMap<string, Map<string, StoredObject>>;
  #versions = 0;

  constructor(buckets: readonly string[]) {
    this.#buckets = new Map(buckets.map((bucket) => [bucket, new Map<string, StoredObject>()]));
  }

  async putObject({ bucket, key }: ObjectRef, body: AsyncIterable<Uint8Array>, call: Call): Promise<void> {
    const objects = this.#bucket(bucket);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) {
      call.signal.throwIfAborted();
      chunks.push(Uint8Array.from(chunk));
    }
    call.signal.throwIfAborted();
    this.#versions += 1;
    objects.set(key, { bytes: Buffer.concat(chunks), storedAt: new Date(), version: String(this.#versions) });
  }

  async objectExists({ bucket, key }: ObjectRef): Promise<boolean> {
    return await Promise.resolve(this.#bucket(bucket).has(key));
  }

  async *getObject(object: ObjectRef, call: Call): AsyncIterable<Uint8Array> {
    const { bytes } = this.#object("get", object);
    for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
      call.signal.throwIfAborted();
      yield bytes.subarray(offset, offset + chunkBytes);
    }
    await Promise.resolve();
  }

  async listCommonPrefixes({ bucket, prefix, delimiter }: PrefixQuery): Promise<readonly string[]> {
    const found = this.#keysBelow(bucket, prefix).flatMap((key) => {
      const end = key.indexOf(delimiter, prefix.length);
      return end === -1 ? [] : [key.slice(0, end + delimiter.length)];
    });
    return await Promise.resolve([...new Set(found)].toSorted());
  }

  async listObjects({ bucket, prefix }: ListQuery): Promise<readonly string[]> {
    return await Promise.resolve(this.#keysBelow(bucket, prefix).toSorted().toReversed());
  }

  async deleteObject({ bucket, key }: ObjectRef): Promise<void> {
    this.#bucket(bucket).delete(key);
    await Promise.resolve();
  }

  async createSignedUrl({ bucket, key }: ObjectRef, ttlSeconds: number): Promise<string> {
    this.#bucket(bucket);
    return await Promise.resolve(`memory://${bucket}/${encodeURIComponent(key)}?ttl=${ttlSeconds}`);
  }

  async describeObject(object: ObjectRef): Promise<ObjectDescription> {
    const { bytes, storedAt, version } = this.#object("describe", object);
    const value = createHash("md5").update(bytes).digest("hex");
    return await Promise.resolve({
      sizeBytes: BigInt(bytes.length),
      checksum: { algorithm: "md5", value, scope: "full-object" },
      version,
      lastModified: storedAt,
      hold: "",
    });
  }

  async *check(): AsyncIterable<Finding> {
    yield { severity: "ok", subject: "memory", detail: "objects are kept in memory", remedy: "" };
    yield await Promise.resolve<Finding>({
      severity: "advice",
      subject: "memory",
      detail: "objects end with the process",
      remedy: "use it in tests only",
    });
  }

  #bucket(bucket: string): Map<string, StoredObject> {
    const objects = this.#buckets.get(bucket);
    if (objects !== undefined) return objects;
    throw new PluginError(`bucket "${bucket}" is missing; create it or correct the location`, {
      kind: "invalid-config",
    });
  }

  #object(verb: string, { bucket, key }: ObjectRef): StoredObject {
    const stored = this.#bucket(bucket).get(key);
    if (stored !== undefined) return stored;
    throw new PluginError(`${verb} object "${key}" in bucket "${bucket}": not found`, { kind: "not-found" });
  }

  #keysBelow(bucket: string, prefix: string): string[] {
    return [...this.#bucket(bucket).keys()].filter((key) => key.startsWith(prefix));
  }
}
