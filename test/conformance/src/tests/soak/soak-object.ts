import { bodyOf } from "../../bodies.ts";
import { fail } from "../../expect.ts";

/** What lies, or must not lie, under a key: `undefined` for nothing, else the size of the body. */
type Content = number | undefined;

/** Enough to name a version and its size, so that a reader without any memory can tell whether the rest is right. */
const headerBytes = 16;

/**
 * One key of the soak: what its owner last knew, and what may be there while a change is under way or its end is unknown.
 * Versions count up; each is a body that key, version and size decide, or an absence.
 */
export class SoakObject {
  readonly key: string;
  readonly #seed: string;
  readonly #contents: Content[] = [undefined];
  #sure = 0;

  /** `seed` decides its bodies, beside version and size. */
  constructor(key: string, seed: string) {
    this.key = key;
    this.#seed = seed;
  }

  /** The version that is surely there, or that was before one which may have arrived. */
  get sure(): number {
    return this.#sure;
  }

  get newest(): number {
    return this.#contents.length - 1;
  }

  /** Whether an object is there, as far as that is sure. */
  get isLive(): boolean {
    return this.#contents[this.#sure] !== undefined;
  }

  /** Begins a version. It may be seen from now on. */
  begin(sizeBytes: Content): { readonly version: number; readonly body: Buffer } {
    this.#contents.push(sizeBytes);
    return {
      version: this.newest,
      body: sizeBytes === undefined ? Buffer.alloc(0) : this.#body(this.newest, sizeBytes),
    };
  }

  /** From now on nothing older may be seen. */
  settle(version: number): void {
    this.#sure = version;
  }

  /**
   * Judges what a reader saw, who knew that nothing older than `oldest` could be there when it asked. Answers which version
   * it is.
   */
  judge(seen: Buffer | undefined, oldest: number): number {
    const versions = this.#contents.keys().filter((version) => version >= oldest);
    if (seen === undefined) {
      const absent = versions.find((version) => this.#contents[version] === undefined);
      return absent ?? fail(`${this.key} is absent; version ${this.newest} was put`);
    }
    const version = seen.length < headerBytes ? -1 : seen.readUInt32BE(0);
    const sizeBytes = this.#contents[version];
    if (version < oldest || sizeBytes === undefined)
      return fail(`${this.key} holds ${seen.length} bytes that no version from ${oldest} to ${this.newest} is`);
    if (!seen.equals(this.#body(version, sizeBytes)))
      return fail(`${this.key} is version ${version} with other bytes: ${seen.length} where ${sizeBytes} were put`);
    return version;
  }

  #body(version: number, sizeBytes: number): Buffer {
    const body = bodyOf(`${this.#seed}/${version}`, Math.max(sizeBytes, headerBytes));
    body.writeUInt32BE(version, 0);
    return body;
  }
}
