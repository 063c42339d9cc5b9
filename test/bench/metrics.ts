import type { Sample } from "./samples.ts";

const mib = 2 ** 20;
const gib = 2 ** 30;

/** A number that is read off a sample. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  of(sample: Sample): number;
}

/** A goal: a ratio of ours to theirs, or a limit on ours alone. */
export interface Goal {
  readonly measure: "ratio" | "ours";
  readonly better: "higher" | "lower";
  readonly must: number;
  readonly stretch?: number;
}

/** A metric of a case, with its goal if one is set. */
export interface Row {
  readonly case: string;
  readonly metric: Metric;
  readonly goal?: Goal;
}

const startMs: Metric = { name: "exec to first listing", unit: "ms", digits: 0, of: ({ seconds }) => seconds * 1000 };
const startCpu: Metric = { name: "CPU of a start", unit: "ms", digits: 0, of: ({ cpuSeconds }) => cpuSeconds * 1000 };
const speed: Metric = { name: "speed", unit: "MiB/s", digits: 1, of: ({ bytes, seconds }) => bytes / mib / seconds };
const cpu: Metric = {
  name: "CPU",
  unit: "s/GiB",
  digits: 2,
  of: ({ bytes, cpuSeconds }) => cpuSeconds / (bytes / gib),
};
const peak: Metric = { name: "peak memory", unit: "MiB", digits: 0, of: ({ peakBytes }) => peakBytes / mib };
const resident: Metric = {
  name: "memory after Init",
  unit: "MiB",
  digits: 0,
  of: ({ residentBytes }) => residentBytes / mib,
};

const higher = (must: number, stretch?: number): Goal => goal("ratio", "higher", must, stretch);
const lower = (must: number, stretch?: number): Goal => goal("ratio", "lower", must, stretch);
const atMost = (must: number, stretch?: number): Goal => goal("ours", "lower", must, stretch);

function goal(measure: Goal["measure"], better: Goal["better"], must: number, stretch?: number): Goal {
  return { measure, better, must, ...(stretch === undefined ? {} : { stretch }) };
}

/** A cloud whose plugin is measured. */
export type BenchProvider = "aws" | "azure" | "gcp";

type Goals = Readonly<Record<string, Readonly<Record<string, Goal>>>>;

const commonGoals: Goals = {
  idle: { [resident.name]: atMost(96, 64) },
  "put-1MiB": { [speed.name]: higher(0.8, 1) },
  "get-1MiB": { [speed.name]: higher(0.8, 1) },
  "put-1MiB-x4": { [speed.name]: higher(0.8, 1) },
  "get-1MiB-x4": { [speed.name]: higher(0.8, 1) },
  "put-64MiB": { [speed.name]: higher(0.8, 1), [cpu.name]: lower(2, 1.3) },
  "get-64MiB": { [speed.name]: higher(0.8, 1), [cpu.name]: lower(2, 1.3) },
  "put-1GiB": { [speed.name]: higher(0.8, 1), [cpu.name]: lower(2, 1.3), [peak.name]: atMost(180, 130) },
  "get-1GiB": { [speed.name]: higher(0.8, 1), [cpu.name]: lower(2, 1.3) },
  "put-1GiB-x4": { [peak.name]: atMost(300, 200) },
  "get-256MiB-20ms-25MiBps": { [speed.name]: higher(3) },
};

const goals: Readonly<Record<BenchProvider, Goals>> = {
  aws: {
    ...commonGoals,
    start: { [startMs.name]: lower(3.5, 2) },
    "put-256MiB-20ms-25MiBps": { [speed.name]: higher(1.2, 1.4) },
  },
  azure: {
    ...commonGoals,
    start: { [startMs.name]: lower(5, 2) },
    "put-256MiB-20ms-25MiBps": { [speed.name]: higher(4, 5) },
  },
  gcp: {
    ...commonGoals,
    start: { [startMs.name]: lower(3.5, 2) },
    // A session takes its parts one after the other, whoever sends them.
    "put-256MiB-20ms-25MiBps": { [speed.name]: higher(1) },
  },
};

/** Whether a cloud's plugin can be measured. */
export function isBenchProvider(name: string): name is BenchProvider {
  return Object.hasOwn(goals, name);
}

/** The rows of a case's part of the table. */
export function rowsOf(caseName: string, provider: BenchProvider): Row[] {
  return metricsOf(caseName).map((metric) => {
    const goal = goals[provider][caseName]?.[metric.name];
    return { case: caseName, metric, ...(goal === undefined ? {} : { goal }) };
  });
}

function metricsOf(caseName: string): Metric[] {
  if (caseName === "start") {
    return [startMs, startCpu];
  }
  return caseName === "idle" ? [resident] : [speed, cpu, peak];
}
