/** One measurement, as the Go side prints it. */
export interface Sample {
  readonly case: string;
  readonly subject: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly residentBytes: number;
}

/** Reads one line of the Go side's output. */
export function parseSample(line: string): Sample {
  // The parse edge: our own program wrote the line, and a missing field would show as NaN in the table.
  const sample = JSON.parse(line) as Sample;
  if (typeof sample.case !== "string" || typeof sample.seconds !== "number") {
    throw new Error(`no sample: ${line}`);
  }
  return sample;
}

/** The middle of some numbers; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
