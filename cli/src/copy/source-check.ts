import { PluginError } from "@flotilla/sdk/plugin";
import type { ObjectDescription } from "@flotilla/sdk/plugin";

import { printChecksum } from "../commands/stored-backup.ts";
import { BodyDigest, comparableChecksum } from "./body-digest.ts";
import type { FinishedDigest } from "./body-digest.ts";
import { GzipCheck } from "./gzip-check.ts";
import type { StoredSide } from "./paired-object.ts";

/**
 * Passes a body on and throws before its end where it is not what its store recorded: the put is cancelled then, and
 * nothing arrives. A plugin of ours has compared the recorded checksum itself by that time. Where the store has none, as
 * for what the official plugins write to Azure, gzip data are unpacked on the way: they bear a checksum of their own.
 */
export class SourceCheck {
  readonly #side: StoredSide;
  readonly #description: ObjectDescription | undefined;
  readonly #digest: BodyDigest;
  readonly #gzip: GzipCheck | undefined;
  #finished: FinishedDigest | undefined;

  private constructor(side: StoredSide, description: ObjectDescription | undefined, digest: BodyDigest) {
    this.#side = side;
    this.#description = description;
    this.#digest = digest;
    const isBare = description?.checksum === undefined;
    this.#gzip = isBare && side.object.key.endsWith(".gz") ? new GzipCheck() : undefined;
  }

  /** Begins with what the store says of the object. */
  static async begin(side: StoredSide, description: ObjectDescription | undefined): Promise<SourceCheck> {
    return new SourceCheck(side, description, await BodyDigest.begin(comparableChecksum(description)));
  }

  /** What the body came to; undefined before its end. */
  get finished(): FinishedDigest | undefined {
    return this.#finished;
  }

  /** Whether gzip's own checksum was looked at. */
  get isUnpacked(): boolean {
    return this.#gzip !== undefined;
  }

  /** Passes the body on. */
  async *pass(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of body) {
        this.#digest.update(chunk);
        await this.#gzip
          ?.update(chunk)
          .catch((error: unknown) => this.#refuse(`it is no whole gzip data: ${String(error)}`));
        yield chunk;
      }
      await this.#gzip?.finish().catch((error: unknown) => this.#refuse(`it is no whole gzip data: ${String(error)}`));
    } finally {
      this.#gzip?.close();
    }
    const read = this.#digest.finish();
    const fault = faultOf(read, this.#description);
    if (fault !== undefined) this.#refuse(fault);
    this.#finished = read;
  }

  #refuse(fault: string): never {
    const { bucket, key } = this.#side.object;
    throw new PluginError(
      `read object "${key}" in bucket "${bucket}": ${fault}; it is damaged at the source, or was replaced while it was read: nothing was copied`,
      { kind: "corrupt" },
    );
  }
}

/** What a store says of an object and is not true of these bytes; undefined where nothing is. */
export function faultOf(digest: FinishedDigest, description: ObjectDescription | undefined): string | undefined {
  if (description === undefined) return undefined;
  if (description.sizeBytes !== BigInt(digest.sizeBytes)) {
    return `the store says ${description.sizeBytes} bytes, and they were ${digest.sizeBytes}`;
  }
  const recorded = comparableChecksum(description);
  if (recorded === undefined || digest.agreesWith(recorded) !== false) return undefined;
  return `the store recorded ${printChecksum(description)}, which is not that of the bytes (crc32 ${digest.crc32}, sha256 ${digest.sha256})`;
}
