import type { CrcModel } from "./crc-combine.ts";

/** What one step takes in, and the size of the state between two steps. */
export const foldBytes = 128;

/** How the state of a CRC over long bodies moves on; see {@link planFolding}. */
export interface CrcFolding {
  /** Bytes of the CRC's register, and of one group of the state. */
  readonly width: 4 | 8;
  /** For each byte of a group, each half of that byte, and each byte of the new group: 16 bytes, what each value adds. */
  readonly tables: Uint8Array<ArrayBuffer>;
}

/**
 * Plans how to compute a CRC 128 bytes at a time. The state is 128 bytes that leave the same remainder as all that was
 * read so far, so that a step is `state = moved(state) ^ next`, where the moved state has the remainder of the state with
 * 128 zeros behind it. Moving is done in groups of as many bytes as the register has, 128 / width bytes apart: the bits of
 * such a group are a basis of all remainders, so that there is exactly one other group, at the same place, with the
 * remainder of the moved one. That map is linear and the same for each group, which makes it a sum of table look-ups by
 * half bytes: one instruction does 16 of them.
 *
 * Undefined for a polynomial under which those bits are no basis, as for CRC32's.
 */
export function planFolding(model: CrcModel): CrcFolding | undefined {
  const width = model.bits === 32 ? 4 : 8;
  const strideBits = (8 * foldBytes) / width;
  const powers = powersOf(model, strideBits * (width - 1) + 8 + 8 * foldBytes);
  // The lowest bit of a byte is its first, and so the highest power of x.
  const exponents = Array.from({ length: model.bits }, (_, bit) => {
    const byte = Math.floor(bit / 8);
    return strideBits * (width - 1 - byte) + 7 - (bit % 8);
  });
  const power = (exponent: number): bigint => powers[exponent] ?? 0n;
  const columns = solve(
    exponents.map(power),
    exponents.map((exponent) => power(exponent + 8 * foldBytes)),
  );
  return columns && { width, tables: tablesOf(columns, width) };
}

/** The powers of x modulo the polynomial. */
function powersOf({ bits, polynomial }: CrcModel, count: number): readonly bigint[] {
  const powers = [1n << BigInt(bits - 1)];
  for (let last = powers[0] ?? 0n; powers.length < count; powers.push(last))
    last = (last & 1n) === 1n ? (last >> 1n) ^ polynomial : last >> 1n;
  return powers;
}

interface Row {
  readonly vector: bigint;
  /** Of which basis vectors it is the sum. */
  readonly members: bigint;
}

/** Writes each target as a sum of basis vectors, a bit for each. Undefined where the vectors are no basis. */
function solve(basis: readonly bigint[], targets: readonly bigint[]): readonly bigint[] | undefined {
  // From the highest vector to the lowest; no two have the same highest bit.
  const rows: Row[] = [];
  const reduce = (vector: bigint, members: bigint): Row => {
    const left = { vector, members };
    for (const row of rows) {
      const smaller = left.vector ^ row.vector;
      if (smaller > left.vector) continue;
      left.vector = smaller;
      left.members ^= row.members;
    }
    return left;
  };
  for (const [index, vector] of basis.entries()) {
    const row = reduce(vector, 1n << BigInt(index));
    if (row.vector === 0n) return undefined;
    const place = rows.findIndex((other) => other.vector < row.vector);
    rows.splice(place === -1 ? rows.length : place, 0, row);
  }
  return targets.map((target) => reduce(target, 0n).members);
}

function tablesOf(columns: readonly bigint[], width: number): Uint8Array<ArrayBuffer> {
  const tables = new Uint8Array(width * 2 * width * 16);
  for (let half = 0; half < width * 2; half += 1) {
    const ofHalf = columns.slice(half * 4, half * 4 + 4);
    for (let value = 0; value < 16; value += 1) {
      const sum = ofHalf.reduce((sum, column, bit) => ((value >> bit) & 1 ? sum ^ column : sum), 0n);
      for (let byte = 0; byte < width; byte += 1)
        tables[(half * width + byte) * 16 + value] = Number((sum >> BigInt(8 * byte)) & 0xffn);
    }
  }
  return tables;
}
