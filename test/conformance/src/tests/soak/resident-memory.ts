import { setTimeout as delay } from "node:timers/promises";

import { fail } from "../../expect.ts";
import type { PluginSession } from "../../plugin/plugin-session.ts";

const mebibyte = 1024 ** 2;

/** What collectors and allocators may still take after the first third: a body leaked in each second is more. */
const growthBoundBytes = 96 * mebibyte;

const sampleMs = 250;
/** With less a median says nothing. */
const fewestSamples = 12;

/** Watches the memory of one process. */
export class ResidentMemory {
  readonly #session: PluginSession;
  readonly #samples: number[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(session: PluginSession) {
    this.#session = session;
    this.#ended = this.#watch();
  }

  /** Stops, and fails when the last third lies above the middle one by more than the bound. */
  async judge(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    if (this.#samples.length < fewestSamples) return;
    const third = Math.floor(this.#samples.length / 3);
    const before = median(this.#samples.slice(third, 2 * third));
    const after = median(this.#samples.slice(2 * third));
    if (after - before > growthBoundBytes)
      fail(`memory grew from ${inMebibytes(before)} in the middle third of a process's life to ${inMebibytes(after)}`);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const bytes = await this.#session.residentBytes();
      if (bytes !== undefined) this.#samples.push(bytes);
      // Stopping is the only way in which this wait ends early.
      await delay(sampleMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
