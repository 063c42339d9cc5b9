import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

import type { UnreadFile } from "./volume-messages.ts";

const shownFiles = 5;

/** The files that restic could not read: how many, and the first of them. There may be millions. */
export class UnreadFiles {
  readonly #lost: UnreadFile[] = [];
  #lostCount = 0;
  #firstGone: string | undefined;
  #goneCount = 0;

  get isEmpty(): boolean {
    return this.#lostCount + this.#goneCount === 0;
  }

  add(file: UnreadFile): void {
    if (file.isGone) {
      this.#firstGone ??= file.item;
      this.#goneCount += 1;
      return;
    }
    if (this.#lost.length < shownFiles) this.#lost.push(file);
    this.#lostCount += 1;
  }

  /** Files that were deleted meanwhile are missed by nobody; any other that could not be read makes the snapshot worthless. */
  requireWhole(action: string, call: Call): void {
    if (this.#lostCount > 0) throw this.#error(action);
    if (this.#goneCount > 0)
      call.log.info(`${action}: files were deleted while it ran`, { count: this.#goneCount, first: this.#firstGone });
  }

  #error(action: string): PluginError {
    const shown = this.#lost.map(({ item, reason }) => `${item} (${withoutMagicWords(reason)})`);
    const more = this.#lostCount > shown.length ? ` and ${this.#lostCount - shown.length} more` : "";
    return new PluginError(
      `${action}: ${this.#lostCount} files could not be read: ${shown.join(", ")}${more}; nothing was kept. Run the server as a user who may read them, or leave them out by the key exclude`,
      { kind: "incomplete" },
    );
  }
}

/** The server takes some words for a sign that a backup is gone. */
export function withoutMagicWords(text: string): string {
  return text.replaceAll(/not found|does not exist/gi, "missing");
}
