/** The field tag of `Bytes.data`: number 1, length-delimited. */
const dataTag = 0x0a;

/**
 * Collects the bytes of one `Bytes` message and encodes them: the only copy is the one from the chunk into the message.
 * Hand-written because this is the one hot message of the wire: the generated encoder copies twice.
 */
export class BytesMessage {
  readonly #buffer: Buffer;
  readonly #dataStart: number;
  #dataEnd: number;

  constructor(capacityBytes: number) {
    this.#dataStart = 1 + varintLength(capacityBytes);
    this.#dataEnd = this.#dataStart;
    this.#buffer = Buffer.allocUnsafe(this.#dataStart + capacityBytes);
  }

  get sizeBytes(): number {
    return this.#dataEnd - this.#dataStart;
  }

  get isFull(): boolean {
    return this.#dataEnd === this.#buffer.length;
  }

  /** Copies as much of the chunk as fits and answers how much that was. */
  append(chunk: Uint8Array): number {
    const taken = Math.min(chunk.length, this.#buffer.length - this.#dataEnd);
    this.#buffer.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#dataEnd);
    this.#dataEnd += taken;
    return taken;
  }

  /** Begins the next message in the same memory. What was encoded before must have been sent. */
  clear(): void {
    this.#dataEnd = this.#dataStart;
  }

  /** The encoded message, in this message's own memory. Nothing may be appended until it is cleared. */
  encode(): Buffer {
    const sizeBytes = this.sizeBytes;
    if (sizeBytes === 0) return Buffer.alloc(0);
    const headerStart = this.#dataStart - 1 - varintLength(sizeBytes);
    this.#buffer[headerStart] = dataTag;
    writeVarint(this.#buffer, sizeBytes, headerStart + 1);
    return this.#buffer.subarray(headerStart, this.#dataEnd);
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function writeVarint(target: Buffer, value: number, offset: number): void {
  let rest = value;
  let position = offset;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    target[position] = (rest % 128) | 0x80;
    position += 1;
  }
  target[position] = rest;
}
