import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const patienceMs = 60_000;

/** A file to which a fixture process appends its events, so that they can be read after its end. */
export class Journal {
  readonly path = join(mkdtempSync(join(tmpdir(), "journal-")), "events");

  /** The events so far, a line each. */
  get text(): string {
    return existsSync(this.path) ? readFileSync(this.path, "utf8") : "";
  }

  /** Waits until an event was written. */
  async waitFor(event: string): Promise<void> {
    const giveUpAt = Date.now() + patienceMs;
    while (!this.text.includes(event)) {
      assert.ok(Date.now() < giveUpAt, `"${event}" never came; the journal has:\n${this.text}`);
      await delay(5);
    }
  }
}
