/** What a test sent to the plugin and what came back, in order: the evidence of a failure. */
export class Journal {
  readonly #lines: string[] = [];

  /** Something that the suite did. */
  sent(text: string): void {
    this.#lines.push(`sent      ${text}`);
  }

  /** Something that the plugin did. */
  received(text: string): void {
    this.#lines.push(`received  ${text}`);
  }

  /** The last lines, oldest first. */
  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}
