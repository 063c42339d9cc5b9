import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { describeError } from "../session.ts";
import type { Progress } from "../output/progress.ts";

/** What a step of the demo came to. */
export interface StepResult {
  /** A path, a key or an id. */
  readonly where: string;
  readonly bytes?: number;
  readonly checksum?: string;
  readonly detail?: string;
}

/** A step as it stands in the closing table. */
export interface Step {
  readonly what: string;
  readonly result: "done" | "FAILED";
  readonly where: string;
  readonly bytes: number | null;
  readonly checksum: string;
  readonly durationMs: number;
  readonly detail: string;
}

/** The steps of one run; the first that fails ends it, and stands in the table with its reason. */
export class Steps {
  readonly #progress: Progress;
  readonly #steps: Step[] = [];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** Runs a step, times it and keeps what it came to; a failure is kept and thrown on. */
  async run<T>(what: string, work: () => Promise<T>, result: (value: T) => StepResult): Promise<T> {
    const clock = performance.now();
    this.#progress.note(`--- ${what}`);
    try {
      const value = await work();
      const { where, bytes = null, checksum = "", detail = "" } = result(value);
      this.#steps.push({ what, result: "done", where, bytes, checksum, durationMs: since(clock), detail });
      return value;
    } catch (error) {
      const detail = describeError(error).message;
      const step = { where: "", bytes: null, checksum: "", durationMs: since(clock), detail };
      this.#steps.push({ what, result: "FAILED", ...step });
      throw error;
    }
  }

  /** Whether a step failed. */
  get hasFailed(): boolean {
    return this.#steps.some(({ result }) => result === "FAILED");
  }

  /** The closing table and the document. */
  report(facts: Readonly<Record<string, unknown>>): Report {
    const isFailure = this.hasFailed;
    const rows = this.#steps.map(({ what, result, where, bytes, checksum, durationMs }) => [
      what,
      result,
      where,
      bytes === null ? "" : formatBytes(bytes),
      checksum,
      formatDuration(durationMs),
    ]);
    const details = this.#steps.flatMap(({ what, detail }) => (detail === "" ? [] : [`${what}: ${detail}\n`]));
    const table = formatTable(["what", "result", "where", "bytes", "checksum", "time"], rows);
    const verdict = isFailure ? "THE DEMO FAILED\n" : "every step did what it should\n";
    return {
      json: { ok: !isFailure, ...facts, steps: this.#steps },
      text: `${table}\n${details.join("")}\n${verdict}`,
      isFailure,
    };
  }
}

function since(clock: number): number {
  return Math.round(performance.now() - clock);
}
