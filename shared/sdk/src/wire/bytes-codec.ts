/** The field tag of `Bytes.data`: number 1, length-delimited. */
const dataTag = 0x0a;

/** gRPC's prefix of a message: a byte that says "not compressed" and the length. */
const prefixBytes = 5;

/** What {@link BytesMessage} needs before its content: gRPC's prefix, the tag, and a length of up to 32 bits. */
const mostHeaderBytes = prefixBytes + 1 + 5;

/**
 * One `Bytes` message, encoded in place: its header is written into the memory right before its content. Hand-written
 * because this is the one hot message of the wire, which the generated encoder and the gRPC library would copy thrice.
 */
export class BytesMessage {
  /** The content. */
  readonly data: Uint8Array<ArrayBuffer>;

  /** The memory before the content must be free for the header. */
  constructor(data: Uint8Array<ArrayBuffer>) {
    if (data.byteOffset < mostHeaderBytes) throw new RangeError("no room for a header before the content");
    this.data = data;
  }

  /** The message alone, for whoever puts the prefix before it. */
  encode(): Buffer {
    return this.frame().subarray(prefixBytes);
  }

  /** The message with gRPC's prefix, as it goes into the stream. */
  frame(): Buffer {
    const { buffer, byteOffset, byteLength } = this.data;
    const fieldBytes = byteLength === 0 ? 0 : 1 + varintLength(byteLength);
    const frame = Buffer.from(buffer, byteOffset - fieldBytes - prefixBytes, prefixBytes + fieldBytes + byteLength);
    frame[0] = 0;
    frame.writeUInt32BE(fieldBytes + byteLength, 1);
    if (byteLength > 0) {
      frame[prefixBytes] = dataTag;
      writeVarint(frame, byteLength, prefixBytes + 1);
    }
    return frame;
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
