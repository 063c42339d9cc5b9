/** A CRC of parts: its width in bits and its reflected polynomial. */
export interface CrcKind {
  readonly bits: bigint;
  readonly polynomial: bigint;
}

export const crc32Kind: CrcKind = { bits: 32n, polynomial: 0xedb88320n };
export const crc32cKind: CrcKind = { bits: 32n, polynomial: 0x82f63b78n };
export const crc64NvmeKind: CrcKind = { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n };

/** One part of an object: its big-endian CRC and its size. */
export interface CrcOfPart {
  readonly crc: Buffer;
  readonly size: number;
}

/** Returns the CRC of the concatenated parts without reading them. */
export function combineCrcs(kind: CrcKind, parts: readonly CrcOfPart[]): Buffer {
  const shifts = new Map<number, bigint>();
  let total = 0n;
  for (const { crc, size } of parts) {
    const shift = shifts.get(size) ?? powerOfX(kind, BigInt(size) * 8n);
    shifts.set(size, shift);
    // A CRC is linear: appending n bytes multiplies what came before by x^(8n), modulo the polynomial.
    total = multiply(kind, total, shift) ^ BigInt(`0x${crc.toString("hex")}`);
  }
  return Buffer.from(total.toString(16).padStart(Number(kind.bits) / 4, "0"), "hex");
}

// In the reflected form the highest bit stands for x^0.
function multiply({ bits, polynomial }: CrcKind, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = bits - 1n; bit >= 0n; bit -= 1n) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = (shifted >> 1n) ^ (shifted & 1n ? polynomial : 0n);
  }
  return product;
}

function powerOfX(kind: CrcKind, exponent: bigint): bigint {
  let result = 1n << (kind.bits - 1n);
  let square = 1n << (kind.bits - 2n);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = multiply(kind, result, square);
    square = multiply(kind, square, square);
  }
  return result;
}
