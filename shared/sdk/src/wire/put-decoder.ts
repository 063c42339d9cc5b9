/** Whose object the messages of a put are, as the first one says. */
export interface PutTarget {
  readonly plugin: string;
  readonly bucket: string;
  readonly key: string;
}

const prefixBytes = 5;
const bodyField = 4;
/** A name longer than this is no name. */
const mostTextBytes = 1024 * 1024;

/**
 * Decodes the framed messages of a put as their bytes arrive. Hand-written because this is the hot request of the wire:
 * the server repeats the names in each message of 16 KiB, and the generated decoder would read them all, after another
 * had put each message together. The body's bytes are passed on where they lie.
 */
export class PutDecoder {
  readonly #onBody: (bytes: Uint8Array) => void;
  readonly #texts: Buffer[][] = [[], [], [], []];
  #textBytes = 0;
  #target: PutTarget | undefined;
  #isLastEmpty = false;
  /** What the next byte belongs to. */
  #state: "prefix" | "tag" | "length" | "skipped number" | "content" = "prefix";
  #prefixLength = 0;
  /** Bytes left of the message, and of the field in it. */
  #messageLeft = 0;
  #fieldLeft = 0;
  #field = 0;
  #hasBody = false;
  #varint = 0;
  #varintFactor = 1;

  constructor(onBody: (bytes: Uint8Array) => void) {
    this.#onBody = onBody;
  }

  /** Known once the first message is whole. */
  get target(): PutTarget | undefined {
    return this.#target;
  }

  /** Whether the last whole message carried no bytes of the body. */
  get isLastEmpty(): boolean {
    return this.#isLastEmpty;
  }

  /** Whether no message is cut in two. */
  get isBetweenMessages(): boolean {
    return this.#state === "prefix" && this.#prefixLength === 0;
  }

  /** Takes the next data of the stream. Throws for what is no message of a put. */
  write(data: Uint8Array): void {
    let at = 0;
    while (at < data.byteLength) {
      if (this.#state === "content") at = this.#readContent(data, at);
      else this.#readByte(data[at++] ?? 0);
    }
  }

  #readByte(byte: number): void {
    if (this.#state === "prefix") this.#readPrefix(byte);
    else if (this.#takeVarint(byte)) this.#readNumber(this.#endVarint());
  }

  #readPrefix(byte: number): void {
    if (this.#prefixLength === 0) {
      if (byte !== 0) throw new RangeError("a compressed message, which this plugin did not announce to accept");
      this.#messageLeft = 0;
      this.#hasBody = false;
      this.#isLastEmpty = true;
    } else this.#messageLeft = this.#messageLeft * 256 + byte;
    this.#prefixLength += 1;
    if (this.#prefixLength < prefixBytes) return;
    this.#prefixLength = 0;
    this.#nextField();
  }

  /** Goes on after a field, or after the message where it was the last. */
  #nextField(): void {
    this.#state = this.#messageLeft > 0 ? "tag" : "prefix";
    if (this.#messageLeft === 0) this.#target ??= this.#readTarget();
  }

  #readNumber(value: number): void {
    if (this.#state === "tag") this.#readTag(Math.floor(value / 8), value % 8);
    else if (this.#state === "length") this.#startContent(value, this.#field);
    else this.#nextField();
  }

  #readTag(field: number, wireType: number): void {
    this.#field = field;
    if (this.#messageLeft === 0) throw malformed("a field has no value");
    if (field === bodyField && (wireType !== 2 || this.#hasBody)) throw malformed("its body is not one field");
    if (wireType === 2) this.#state = "length";
    else if (wireType === 0) this.#state = "skipped number";
    else if (wireType === 1 || wireType === 5) this.#startContent(wireType === 1 ? 8 : 4, 0);
    else throw malformed(`wire type ${wireType}`);
  }

  /** `field` decides what becomes of the content: 0 for nothing. */
  #startContent(bytes: number, field: number): void {
    if (bytes > this.#messageLeft) throw malformed("a field is longer than it");
    this.#fieldLeft = bytes;
    this.#field = field;
    if (field === bodyField) {
      this.#hasBody = true;
      this.#isLastEmpty = bytes === 0;
    } else if (this.#isText) {
      // A repeated field counts by its last value.
      this.#texts[field] = [];
      this.#textBytes += bytes;
      if (this.#textBytes > mostTextBytes) throw malformed("its names are longer than any");
    }
    if (bytes > 0) this.#state = "content";
    else this.#nextField();
  }

  #readContent(data: Uint8Array, at: number): number {
    const end = Math.min(data.byteLength, at + this.#fieldLeft);
    if (this.#field === bodyField) this.#onBody(data.subarray(at, end));
    else if (this.#isText) this.#texts[this.#field]?.push(Buffer.from(data.subarray(at, end)));
    this.#fieldLeft -= end - at;
    this.#messageLeft -= end - at;
    if (this.#fieldLeft === 0) this.#nextField();
    return end;
  }

  get #isText(): boolean {
    return this.#target === undefined && this.#field >= 1 && this.#field < bodyField;
  }

  #readTarget(): PutTarget {
    const [, plugin = "", bucket = "", key = ""] = this.#texts.map((pieces) => Buffer.concat(pieces).toString("utf8"));
    return { plugin, bucket, key };
  }

  /** Answers whether the number is whole. */
  #takeVarint(byte: number): boolean {
    this.#messageLeft -= 1;
    this.#varint += (byte & 0x7f) * this.#varintFactor;
    this.#varintFactor *= 128;
    if (byte < 128) return true;
    if (this.#messageLeft === 0 || this.#varintFactor > 2 ** 63) throw malformed("a number does not end");
    return false;
  }

  #endVarint(): number {
    const value = this.#varint;
    this.#varint = 0;
    this.#varintFactor = 1;
    return value;
  }
}

function malformed(what: string): RangeError {
  return new RangeError(`a message of the put is malformed: ${what}`);
}
