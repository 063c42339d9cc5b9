import type { PluginLogLine } from "@flotilla/host";

/** How a process of the plugin left when it was told to. */
export interface ObservedEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** From Shutdown to the end. */
  readonly tookMs: number;
}

/** What a session's process said and did beside its answers. */
export interface SessionRecord {
  /** The test that it served. */
  readonly testId: string;
  readonly lines: readonly PluginLogLine[];
  /** What was wrong with its lines on stderr and stdout, in the host's words. */
  readonly violations: readonly string[];
  /** Undefined where the test itself ended the process by force. */
  readonly end: ObservedEnd | undefined;
  /** Whether the test meant to put data at risk, so that lines at warn or error are in their place. */
  readonly mayWarn: boolean;
}

/** What all sessions of a run showed; judged by the tests that run last. */
export class Observations {
  readonly #records: SessionRecord[] = [];

  add(record: SessionRecord): void {
    this.#records.push(record);
  }

  get records(): readonly SessionRecord[] {
    return this.#records;
  }
}
