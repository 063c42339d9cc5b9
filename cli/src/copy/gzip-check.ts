import { once } from "node:events";
import { finished } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Gunzip } from "node:zlib";

/** Unpacks gzip data as they pass, without keeping them: their own checksum is all that some objects have. */
export class GzipCheck {
  readonly #gunzip: Gunzip = createGunzip();
  readonly #end: Promise<void>;

  constructor() {
    this.#gunzip.resume();
    this.#end = finished(this.#gunzip);
    // Looked at by whoever writes next, or finishes.
    this.#end.catch(() => {});
  }

  /** Takes a piece; throws zlib's error where the data are broken by then. */
  async update(bytes: Uint8Array): Promise<void> {
    if (this.#gunzip.destroyed) await this.#end;
    else if (!this.#gunzip.write(bytes)) await Promise.race([once(this.#gunzip, "drain"), this.#end]);
  }

  /** Throws where the data are broken, or end too early. */
  async finish(): Promise<void> {
    this.#gunzip.end();
    await this.#end;
  }

  /** Frees it, however far it came. */
  close(): void {
    this.#gunzip.destroy();
  }
}
