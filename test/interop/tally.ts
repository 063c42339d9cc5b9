/** How many checks came out as expected and how many did not. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const closingLine = /^(?:.*: )?(\d+) passed, (\d+) failed$/gm;

/** Reads the closing line of a program's output; a program that ended without one has failed. */
export function readTally(output: string, exitCode: number): Tally {
  const last = [...output.matchAll(closingLine)].at(-1);
  const tally = { passed: Number(last?.[1] ?? 0), failed: Number(last?.[2] ?? 1) };
  return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

/** Adds tallies up. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  };
}
