import { createGunzip } from "node:zlib";
import { PluginError } from "../plugin/index.ts";
import { nameOf } from "./object-name.ts";
import type { Gunzip } from "node:zlib";
import type { ObjectRef } from "../plugin/index.ts";

/** ID1 and ID2 of RFC 1952. */
const magic = [0x1f, 0x8b] as const;

/** Collected before zlib is called: it hops to another thread each time. Two of them, so that one fills meanwhile. */
const blockBytes = 256 * 1024;

/**
 * Passes the body on and throws at its end unless its gzip structure is whole: `incomplete` when it ends within a
 * member, `corrupt` when it is broken. The server ends its stream in the same way when its own reading failed, so
 * nothing else tells a truncated backup from a whole one before it is committed.
 *
 * Only a `*.gz` key whose content starts as gzip is looked at. Other content under such a key passes: the official
 * plugins accept it, and whoever wrote it did not mean gzip.
 */
export function guardGzip(object: ObjectRef, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return object.key.endsWith(".gz") ? guarded(object, body) : body;
}

async function* guarded(object: ObjectRef, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let seenBytes = 0;
  let isGzip = true;
  const follower = new GzipFollower(object);
  try {
    for await (const chunk of body) {
      isGzip &&= startsAsGzip(chunk, seenBytes);
      seenBytes += chunk.byteLength;
      if (isGzip) await follower.write(chunk);
      yield chunk;
    }
    if (isGzip && seenBytes > 0) await follower.end();
  } finally {
    follower.close();
  }
}

function startsAsGzip(chunk: Uint8Array, offset: number): boolean {
  return magic.slice(offset).every((byte, index) => index >= chunk.byteLength || chunk[index] === byte);
}

/** Follows a gzip stream with bounded memory; what it inflates to is thrown away. */
class GzipFollower {
  readonly #object: ObjectRef;
  #gunzip: Gunzip | undefined;
  #failure: Error | undefined;
  #filling = Buffer.allocUnsafeSlow(blockBytes);
  #spare = Buffer.allocUnsafeSlow(blockBytes);
  #length = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(object: ObjectRef) {
    this.#object = object;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const taken = rest.subarray(0, blockBytes - this.#length);
      this.#filling.set(taken, this.#length);
      this.#length += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (this.#length === blockBytes) await this.#flush();
    }
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#written;
    const gunzip = this.#stream();
    // Not the callback of end(): an end in mid-member is reported only after that.
    const { promise, resolve } = Promise.withResolvers<void>();
    if (gunzip.closed) resolve();
    gunzip.once("close", () => resolve());
    gunzip.end();
    await promise;
    this.#check();
  }

  close(): void {
    this.#gunzip?.destroy();
  }

  async #flush(): Promise<void> {
    // The block before this one must be through before its memory is filled again.
    await this.#written;
    this.#check();
    const block = this.#filling.subarray(0, this.#length);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#length = 0;
    this.#written = this.#inflate(block);
  }

  #stream(): Gunzip {
    if (this.#gunzip !== undefined) return this.#gunzip;
    const gunzip = createGunzip({ chunkSize: blockBytes });
    gunzip.resume();
    gunzip.on("error", (error) => {
      this.#failure ??= error;
    });
    this.#gunzip = gunzip;
    return gunzip;
  }

  async #inflate(block: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const gunzip = this.#stream();
    const done = (): void => resolve();
    // A stream that failed does not call back for what it had not taken yet.
    gunzip.once("close", done);
    gunzip.write(block, done);
    await promise;
    gunzip.off("close", done);
  }

  #check(): void {
    if (this.#failure === undefined) return;
    const code = "code" in this.#failure ? this.#failure.code : undefined;
    const what = `put ${nameOf(this.#object)}`;
    throw code === "Z_BUF_ERROR"
      ? new PluginError(`${what}: the gzip stream ended early, so its source failed; nothing was stored`, {
          kind: "incomplete",
          cause: this.#failure,
        })
      : new PluginError(`${what}: the gzip stream is broken (${this.#failure.message}); nothing was stored`, {
          kind: "corrupt",
          cause: this.#failure,
        });
  }
}
