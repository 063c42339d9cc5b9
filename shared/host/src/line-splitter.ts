/** A piece of a text stream: a whole line, or a part of one that is longer than the bound. */
export interface LinePiece {
  readonly text: string;
  readonly isWhole: boolean;
}

/** The server's own bound on a line of a plugin's stdout or stderr. */
export const maxLineLength = 64 * 1024;

/** Cuts a stream of text into lines without ever holding more than one bounded line. */
export class LineSplitter {
  #rest = "";
  #isInsideLongLine = false;

  /** The pieces that this chunk completes. */
  push(chunk: string): readonly LinePiece[] {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    const pieces = lines.map((line) => this.#finish(line.endsWith("\r") ? line.slice(0, -1) : line));
    if (this.#rest.length > maxLineLength) {
      pieces.push({ text: this.#rest, isWhole: false });
      this.#rest = "";
      this.#isInsideLongLine = true;
    }
    return pieces;
  }

  /** What was left without a line end. */
  end(): readonly LinePiece[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [this.#finish(rest)];
  }

  #finish(text: string): LinePiece {
    const isWhole = !this.#isInsideLongLine && text.length <= maxLineLength;
    this.#isInsideLongLine = false;
    return { text, isWhole };
  }
}
