/** One thing to measure; the Go side (internal/bench) measures it, this side says what and how often. */
export interface BenchCase {
  readonly name: string;
  readonly kind: "start" | "idle" | "put" | "get";
  readonly sizeBytes: number;
  readonly objects: number;
  readonly atOnce: number;
  readonly roundTripMs: number;
  readonly mibPerSecond: number;
  readonly repetitions: number;
}

const mib = 2 ** 20;
const distantSizeMib = 256;

/** How much to measure. */
export interface CaseOptions {
  /** Fewer repetitions and nothing of 1 GiB four times: two minutes instead of seven. */
  readonly quick: boolean;
  /** Repetitions of every case, in place of the defaults. */
  readonly repetitions?: number;
}

/** Every case, in the order in which they are measured. */
export function benchCases(options: CaseOptions): BenchCase[] {
  const usual = options.repetitions ?? (options.quick ? 2 : 5);
  const starts = options.repetitions ?? (options.quick ? 7 : 15);
  const idle = { sizeBytes: 0, objects: 0, atOnce: 1, roundTripMs: 0, mibPerSecond: 0 };
  return [
    { ...idle, name: "start", kind: "start", repetitions: starts },
    { ...idle, name: "idle", kind: "idle", repetitions: Math.min(usual, 3) },
    ...pair({ label: "1MiB", sizeMib: 1, objects: 64, atOnce: 1, repetitions: usual }),
    ...pair({ label: "1MiB-x4", sizeMib: 1, objects: 64, atOnce: 4, repetitions: usual }),
    ...pair({ label: "64MiB", sizeMib: 64, objects: 4, atOnce: 1, repetitions: usual }),
    ...pair({ label: "64MiB-x4", sizeMib: 64, objects: 8, atOnce: 4, repetitions: usual }),
    ...pair({ label: "1GiB", sizeMib: 1024, objects: 1, atOnce: 1, repetitions: Math.min(usual, 3) }),
    ...(options.quick
      ? []
      : pair({ label: "1GiB-x4", sizeMib: 1024, objects: 4, atOnce: 4, repetitions: Math.min(usual, 2) })),
    ...distant("20ms", 0, usual),
    ...distant("20ms-25MiBps", 25, usual),
  ];
}

interface Transfer {
  readonly label: string;
  readonly sizeMib: number;
  readonly objects: number;
  readonly atOnce: number;
  readonly repetitions: number;
  readonly roundTripMs?: number;
  readonly mibPerSecond?: number;
}

function pair(transfer: Transfer): BenchCase[] {
  const { label, sizeMib, roundTripMs = 0, mibPerSecond = 0, ...rest } = transfer;
  return (["put", "get"] as const).map((kind) => ({
    ...rest,
    name: `${kind}-${label}`,
    kind,
    sizeBytes: sizeMib * mib,
    roundTripMs,
    mibPerSecond,
  }));
}

function distant(label: string, mibPerSecond: number, usual: number): BenchCase[] {
  const repetitions = Math.min(usual, 5);
  return pair({
    label: `${distantSizeMib}MiB-${label}`,
    sizeMib: distantSizeMib,
    objects: 1,
    atOnce: 1,
    repetitions,
    roundTripMs: 20,
    mibPerSecond,
  });
}
