import { rowsOf, type BenchProvider, type Goal, type Metric } from "./metrics.ts";
import { median, type Sample } from "./samples.ts";

/** What became of a goal. */
type Verdict = "stretch" | "must" | "missed" | "no goal";

/** One line of the table. */
export interface ReportLine {
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly goal?: Goal;
  readonly verdict: Verdict;
  readonly samples: number;
}

/** The names of the two plugins that were measured. */
export interface Subjects {
  readonly ours: string;
  readonly theirs: string;
}

/** Medians of both plugins, their ratios, and the goals beside them. */
export function report(samples: readonly Sample[], subjects: Subjects, provider: BenchProvider = "aws"): ReportLine[] {
  const cases = [...new Set(samples.map((sample) => sample.case))];
  return cases.flatMap((name) => {
    const of = (subject: string) => samples.filter((sample) => sample.case === name && sample.subject === subject);
    const [ours, theirs] = [of(subjects.ours), of(subjects.theirs)];
    return rowsOf(name, provider).map(({ metric, goal }): ReportLine => {
      const [oursMedian, theirsMedian] = [medianOf(ours, metric), medianOf(theirs, metric)];
      const ratio = oursMedian / theirsMedian;
      return {
        case: name,
        metric: metric.name,
        unit: metric.unit,
        ours: oursMedian,
        theirs: theirsMedian,
        ratio,
        ...(goal === undefined ? {} : { goal }),
        verdict: judge(goal, oursMedian, ratio),
        samples: Math.min(ours.length, theirs.length),
      };
    });
  });
}

function medianOf(samples: readonly Sample[], metric: Metric): number {
  return median(samples.map((sample) => metric.of(sample)));
}

function judge(goal: Goal | undefined, ours: number, ratio: number): Verdict {
  if (goal === undefined) {
    return "no goal";
  }
  const value = goal.measure === "ratio" ? ratio : ours;
  const reaches = (mark: number) => (goal.better === "higher" ? value >= mark : value <= mark);
  if (!reaches(goal.must)) {
    return "missed";
  }
  return goal.stretch !== undefined && reaches(goal.stretch) ? "stretch" : "must";
}

/** The report as a table for people. */
export function formatTable(lines: readonly ReportLine[], subjects: Subjects): string {
  const header = ["case", "metric", subjects.ours, subjects.theirs, "ratio", "must", "stretch", "reached"];
  const body = lines.map((line) => [
    line.case,
    `${line.metric} (${line.unit})`,
    number(line.ours),
    number(line.theirs),
    line.ratio.toFixed(2),
    mark(line.goal, line.goal?.must),
    mark(line.goal, line.goal?.stretch),
    line.verdict === "no goal" ? "" : line.verdict,
  ]);
  const rows = [header, ...body];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0, column))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

function mark(goal: Goal | undefined, value: number | undefined): string {
  if (goal === undefined || value === undefined) {
    return "";
  }
  const sign = goal.better === "higher" ? ">=" : "<=";
  return `${sign} ${value}${goal.measure === "ratio" ? "x" : ""}`;
}

const firstNumberColumn = 2;

function pad(cell: string, width: number, column: number): string {
  return column < firstNumberColumn ? cell.padEnd(width) : cell.padStart(width);
}
