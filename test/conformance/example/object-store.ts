import { gunzipSync } from "node:zlib";
import { compareKeys } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, ListQuery, ObjectRef, ObjectStore, PrefixQuery } from "@flotilla/sdk/plugin";

const chunkBytes = 64 * 1024;

/** The store: two buckets. Every location of this process shares them. */
const buckets = new Map(["first", "second"].map((name) => [name, new Map<string, Buffer>()]));

/** Objects in memory: one bucket, as one BackupStorageLocation names it. */
export class MemoryObjectStore implements ObjectStore {
  readonly #bucket: string;

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  async putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>, { signal }: Call): Promise<void> {
    const chunks: Uint8Array[] = [];
    // A chunk is ours until the next one: hence the copies.
    for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
    const bytes = Buffer.concat(chunks);
    if (object.key.endsWith(".gz")) refuseBrokenGzip(object, bytes);
    // Only whole objects become visible, and none of a call that was cancelled.
    signal.throwIfAborted();
    this.#objects(object.bucket).set(object.key, bytes);
  }

  async objectExists({ bucket, key }: ObjectRef): Promise<boolean> {
    return await Promise.resolve(this.#objects(bucket).has(key));
  }

  async *getObject({ bucket, key }: ObjectRef): AsyncIterable<Uint8Array> {
    const bytes = await Promise.resolve(this.#objects(bucket).get(key));
    if (bytes === undefined)
      throw new PluginError(`get object "${key}" in bucket "${bucket}": not found`, { kind: "not-found" });
    for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
  }

  async listCommonPrefixes({ bucket, prefix, delimiter }: PrefixQuery): Promise<readonly string[]> {
    const found = (await this.listObjects({ bucket, prefix })).flatMap((key) => {
      const end = key.indexOf(delimiter, prefix.length);
      return end === -1 ? [] : [key.slice(0, end + delimiter.length)];
    });
    return [...new Set(found)].sort(compareKeys);
  }

  async listObjects({ bucket, prefix }: ListQuery): Promise<readonly string[]> {
    const keys = [...this.#objects(bucket).keys()].filter((key) => key.startsWith(prefix));
    return await Promise.resolve(keys.sort((a, b) => compareKeys(b, a)));
  }

  async deleteObject({ bucket, key }: ObjectRef): Promise<void> {
    await Promise.resolve(this.#objects(bucket).delete(key));
  }

  async createSignedUrl({ bucket, key }: ObjectRef): Promise<string> {
    await Promise.resolve();
    throw new PluginError(`sign URL of "${key}" in bucket "${bucket}": memory has no URLs`, { kind: "unsupported" });
  }

  #objects(bucket: string): Map<string, Buffer> {
    const objects = bucket === this.#bucket ? buckets.get(bucket) : undefined;
    if (objects !== undefined) return objects;
    throw new PluginError(`bucket "${bucket}" is missing; there are ${[...buckets.keys()].join(" and ")}`, {
      kind: "invalid-config",
    });
  }
}

/** The server ends its stream in the same way when its own reading failed: the gzip structure tells it apart. */
function refuseBrokenGzip({ key }: ObjectRef, bytes: Buffer): void {
  const startsAsGzip = bytes[0] === 0x1f && (bytes[1] ?? 0x8b) === 0x8b;
  if (!startsAsGzip) return;
  try {
    gunzipSync(bytes);
  } catch (cause) {
    throw new PluginError(`put object "${key}": its gzip stream is not whole; nothing was stored`, {
      kind: "incomplete",
      cause,
    });
  }
}
