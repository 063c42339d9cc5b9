/** No message of restic is longer; what is, is none, and shall not fill the memory. */
const longestLine = 1024 ** 2;

/** Cuts a stream into lines, and drops those that are longer than any message. */
export class LineCutter {
  readonly #hear: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #isTooLong = false;

  constructor(hear: (line: string) => void) {
    this.#hear = hear;
  }

  add(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) this.#end(part);
    if (this.#rest.length <= longestLine) return;
    this.#isTooLong = true;
    this.#rest = "";
  }

  /** Says that nothing more comes: a last line without an end is one, too. */
  close(): void {
    this.#end(this.#rest);
    this.#rest = "";
  }

  #end(line: string): void {
    if (!this.#isTooLong && line !== "") this.#hear(line);
    this.#isTooLong = false;
  }
}
