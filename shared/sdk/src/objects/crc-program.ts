import { foldBytes } from "./crc-folding.ts";
import type { CrcFolding } from "./crc-folding.ts";

/** A folding as a WebAssembly program. It has one memory: only one thing at a time can use it. */
export interface CrcProgram {
  /** The state before and after a run. */
  readonly state: Uint8Array<ArrayBuffer>;
  /** Where the bytes of a run go. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** Moves the state on over the first bytes of the input, a multiple of {@link foldBytes}. */
  run(bytes: number): void;
}

// The tables, at most 2 KiB, are followed by the state and the input, which is small enough to stay in the cache.
const stateAt = 2048;
const inputAt = 4096;
const memoryPages = 1;
const pageBytes = 64 * 1024;

// The types of Node have no WebAssembly. These are the exports of the one module that is built here.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly run: (start: number, end: number) => void;
    };
  };
};

/** Builds the program of a folding. */
export function buildCrcProgram(folding: CrcFolding): CrcProgram {
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(folding))).exports;
  return {
    state: new Uint8Array(memory.buffer, stateAt, foldBytes),
    input: new Uint8Array(memory.buffer, inputAt, pageBytes * memoryPages - inputAt),
    run: (bytes) => run(inputAt, inputAt + bytes),
  };
}

type Code = readonly number[];

// As in https://webassembly.github.io/spec/core/binary/instructions.html.
const [i32, v128, noResult, functionType] = [0x7f, 0x7b, 0x40, 0x60];
const [block, loop, branch, branchIf, end] = [0x02, 0x03, 0x0c, 0x0d, 0x0b];
const [localGet, localSet, i32Const, i32Add, i32GreaterOrEqual] = [0x20, 0x21, 0x41, 0x6a, 0x4f];
const [v128Load, v128Store, v128Const] = [vector(0x00), vector(0x0b), vector(0x0c)];
const [v128And, v128Xor, i16x8ShiftRight] = [vector(0x4e), vector(0x51), vector(0x8d)];
// The relaxed swizzle: what it does with an index above 15 is up to the processor, and there is none.
const i8x16LookUp = vector(0x100);

// Parameters and locals.
const vectors = foldBytes / 16;
const [position, last, state, moved] = [0, 1, 2, 2 + vectors];
const indices = moved + vectors;
const [table, lowHalves] = [indices + 2, indices + 3];

function moduleOf({ width, tables }: CrcFolding): Uint8Array<ArrayBuffer> {
  const locals = code(1, unsigned(lowHalves + 1 - state), v128);
  const body = code(locals, bodyOf(width));
  const sections = [
    section(1, [1, functionType, 2, i32, i32, 0]),
    section(3, [1, 0]),
    section(5, [1, 0, memoryPages]),
    section(7, code(2, name("memory"), 2, 0, name("run"), 0, 0)),
    section(10, code(1, unsigned(body.length), body)),
    section(11, code(1, 0, i32Const, 0, end, unsigned(tables.length), [...tables])),
  ];
  return Uint8Array.from(code([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], ...sections));
}

function bodyOf(width: number): Code {
  const every = Array.from({ length: vectors }, (_, index) => index);
  const takeIn = (index: number): Code =>
    code(load(position, 16 * index), localGet, moved + index, v128Xor, localSet, state + index);
  const store = (index: number): Code =>
    code(i32Const, 0, localGet, state + index, v128Store, 0, unsigned(stateAt + 16 * index));
  return code(
    code(
      v128Const,
      Array.from({ length: 16 }, () => 0x0f),
      localSet,
      lowHalves,
    ),
    ...every.map((index) => code(load(undefined, stateAt + 16 * index), localSet, state + index)),
    code(block, noResult, loop, noResult),
    code(localGet, position, localGet, last, i32GreaterOrEqual, branchIf, 1),
    moveOn(width),
    ...every.map(takeIn),
    code(localGet, position, i32Const, signed(foldBytes), i32Add, localSet, position),
    code(branch, 0, end, end),
    ...every.map(store),
    end,
  );
}

/** Makes the moved state from the state. The bytes of a group are as many vectors apart as there are sets of groups. */
function moveOn(width: number): Code {
  const sets = Array.from({ length: vectors / width }, (_, set) => set);
  const parts: Code[] = [];
  for (let half = 0; half < width * 2; half += 1) {
    const from = state + Math.floor(half / 2) * sets.length;
    const shift = half % 2 === 1 ? code(i32Const, 4, i16x8ShiftRight) : [];
    for (const set of sets)
      parts.push(code(localGet, from + set, shift, localGet, lowHalves, v128And, localSet, indices + set));
    for (let byte = 0; byte < width; byte += 1) {
      parts.push(code(load(undefined, (half * width + byte) * 16), localSet, table));
      for (const set of sets) {
        const to = moved + byte * sets.length + set;
        const sum = half === 0 ? [] : code(localGet, to, v128Xor);
        parts.push(code(localGet, table, localGet, indices + set, i8x16LookUp, sum, localSet, to));
      }
    }
  }
  return code(...parts);
}

/** Loads a vector from an offset, counted from what a local holds. */
function load(base: number | undefined, offset: number): Code {
  return code(base === undefined ? [i32Const, 0] : [localGet, base], v128Load, 0, unsigned(offset));
}

function code(...parts: readonly (number | Code)[]): Code {
  return parts.flat();
}

function vector(opcode: number): Code {
  return code(0xfd, unsigned(opcode));
}

function section(id: number, content: Code): Code {
  return code(id, unsigned(content.length), content);
}

function name(text: string): Code {
  return code(text.length, [...Buffer.from(text)]);
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : code((value & 0x7f) | 0x80, unsigned(value >>> 7));
}

/** LEB128 of a number that is not negative where the format has a sign, which is the highest bit of the last byte. */
function signed(value: number): Code {
  return value < 0x40 ? [value] : code((value & 0x7f) | 0x80, signed(value >>> 7));
}
