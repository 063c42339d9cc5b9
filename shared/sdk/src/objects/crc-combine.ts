/** What defines a reflected CRC whose register starts and ends inverted, as all of ours do. */
export interface CrcModel {
  readonly bits: 32 | 64;
  /** The generator polynomial without its leading term, lowest power in the highest bit. */
  readonly polynomial: bigint;
}

/** The models of the CRCs that stores record, by name. */
export const crcModels = {
  crc32: { bits: 32, polynomial: 0xedb88320n },
  crc32c: { bits: 32, polynomial: 0x82f63b78n },
  crc64nvme: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, CrcModel>;

/**
 * The CRC of two byte strings in a row, from the CRC of each and the length of the second. Appending n bytes multiplies
 * the first CRC by x^8n modulo the polynomial; the inverted start and end cancel out.
 */
export function combineCrcs(model: CrcModel, first: bigint, second: bigint, secondBytes: number): bigint {
  return multiply(model, power(model, BigInt(secondBytes) * 8n), first) ^ second;
}

function power(model: CrcModel, exponent: bigint): bigint {
  const top = 1n << BigInt(model.bits - 1);
  let result = top;
  let square = top >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(model, result, square);
    square = multiply(model, square, square);
  }
  return result;
}

function multiply({ bits, polynomial }: CrcModel, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let mask = 1n << BigInt(bits - 1); mask > 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
