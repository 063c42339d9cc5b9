import { printable } from "./table.ts";
import { formatBytes, formatDuration } from "./units.ts";

/** Where progress is drawn. */
export interface ProgressOutput {
  readonly printError: (text: string) => void;
  readonly isTerminal: boolean;
}

/** Whether lines can be drawn over there: a terminal, and not one that knows no more than to print. */
export function canDrawOver(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && env["TERM"] !== "dumb";
}

/** A body on its way. */
export interface Transfer {
  readonly pass: (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Tells that it arrived, and answers its bytes. */
  readonly done: (what: string) => number;
}

const redrawMs = 100;
const eraseLine = "\r\u001B[K";

/** Tells what goes on: on a terminal one line that is drawn over, elsewhere a plain line for each finished step. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #isQuiet: boolean;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #hasLine = false;

  constructor(output: ProgressOutput, { isQuiet = false }: { readonly isQuiet?: boolean } = {}) {
    this.#output = output;
    this.#isQuiet = isQuiet;
  }

  /**
   * Begins a transfer: its line is drawn while a body passes through, and told for good once it is done. Several bodies
   * may pass at once: their bytes are one amount. What is being done may change on the way.
   */
  begin(doing: string | (() => string)): Transfer {
    const startedAt = performance.now();
    let bytes = 0;
    const amount = () => amountAndRate(bytes, performance.now() - startedAt);
    const draw = () => this.#draw(`${typeof doing === "string" ? doing : doing()}  ${amount()}`);
    return {
      async *pass(body) {
        for await (const chunk of body) {
          bytes += chunk.length;
          draw();
          yield chunk;
        }
      },
      done: (what) => {
        this.note(`${what}  ${amount()}`);
        return bytes;
      },
    };
  }

  /** Draws how far something is over the line before, on a terminal only. */
  show(text: string): void {
    this.#draw(text);
  }

  /** Tells a finished step. */
  note(text: string): void {
    if (this.#isQuiet) return;
    this.clear();
    this.#output.printError(`${printable(text)}\n`);
  }

  /** Removes an unfinished line, before anything else is printed. */
  clear(): void {
    if (this.#hasLine) this.#output.printError(eraseLine);
    this.#hasLine = false;
  }

  #draw(text: string): void {
    if (this.#isQuiet || !this.#output.isTerminal || performance.now() - this.#drawnAt < redrawMs) return;
    this.#drawnAt = performance.now();
    this.#hasLine = true;
    this.#output.printError(`${eraseLine}${printable(text)}`);
  }
}

function amountAndRate(bytes: number, ms: number): string {
  return `${formatBytes(bytes)} in ${formatDuration(ms)}, ${formatBytes(Math.round((bytes * 1000) / Math.max(ms, 1)))}/s`;
}
