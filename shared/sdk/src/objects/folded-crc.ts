import { foldBytes, planFolding } from "./crc-folding.ts";
import { buildCrcProgram } from "./crc-program.ts";
import type { CrcModel } from "./crc-combine.ts";
import type { CrcProgram } from "./crc-program.ts";

/** A CRC over bytes as they pass, for which Node has no function of its own. */
export interface RunningCrc {
  update(bytes: Uint8Array): void;
  /** The CRC of the bytes since the last digest, most significant byte first. The next update starts anew. */
  digest(): Buffer;
}

interface Engine {
  readonly program: CrcProgram;
  readonly remainders: readonly bigint[];
}

const engines = new Map<CrcModel, Engine>();

/** Starts a CRC; its program is built at the first use of the model and shared. */
export function createFoldedCrc(model: CrcModel): RunningCrc {
  const engine = engines.get(model) ?? buildEngine(model);
  engines.set(model, engine);
  return new FoldedCrc(model, engine);
}

function buildEngine(model: CrcModel): Engine {
  const folding = planFolding(model);
  if (folding === undefined) throw new Error("a CRC that cannot be folded");
  return { program: buildCrcProgram(folding), remainders: remaindersOf(model) };
}

class FoldedCrc implements RunningCrc {
  readonly #model: CrcModel;
  readonly #engine: Engine;
  /** Has the remainder of all whole steps. Not in the program, which others use meanwhile. */
  readonly #state = new Uint8Array(foldBytes);
  #isFresh = true;
  /** What is too short for a step. */
  readonly #rest = new Uint8Array(foldBytes);
  #restBytes = 0;

  constructor(model: CrcModel, engine: Engine) {
    this.#model = model;
    this.#engine = engine;
  }

  update(bytes: Uint8Array): void {
    const { input } = this.#engine.program;
    for (let at = 0; at < bytes.byteLength;) {
      const taken = bytes.subarray(at, at + input.byteLength - this.#restBytes);
      at += taken.byteLength;
      input.set(this.#rest.subarray(0, this.#restBytes));
      input.set(taken, this.#restBytes);
      const length = this.#restBytes + taken.byteLength;
      const whole = length - (length % foldBytes);
      if (whole > 0) this.#fold(whole);
      this.#rest.set(input.subarray(whole, length));
      this.#restBytes = length - whole;
    }
  }

  digest(): Buffer {
    const width = this.#model.bits / 8;
    const ones = (1n << BigInt(this.#model.bits)) - 1n;
    const tail = this.#rest.subarray(0, this.#restBytes);
    const value = this.#isFresh ? this.#over(ones, tail) : this.#over(this.#over(0n, this.#state), tail);
    this.#isFresh = true;
    this.#restBytes = 0;
    return Buffer.from((value ^ ones).toString(16).padStart(width * 2, "0"), "hex");
  }

  #fold(whole: number): void {
    const { program } = this.#engine;
    if (this.#isFresh) {
      this.#state.fill(0);
      // The register begins with ones, which is the same as the first bytes being inverted.
      for (let index = 0; index < this.#model.bits / 8; index += 1) program.input[index] = ~(program.input[index] ?? 0);
      this.#isFresh = false;
    }
    program.state.set(this.#state);
    program.run(whole);
    this.#state.set(program.state);
  }

  /** The register after some bytes. */
  #over(register: bigint, bytes: Uint8Array): bigint {
    let value = register;
    for (const byte of bytes) value = (this.#engine.remainders[Number(value & 0xffn) ^ byte] ?? 0n) ^ (value >> 8n);
    return value;
  }
}

/** What each value of a byte leaves in the register. */
function remaindersOf({ polynomial }: CrcModel): readonly bigint[] {
  return Array.from({ length: 256 }, (_, byte) => {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    return value;
  });
}
