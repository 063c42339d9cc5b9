import { simulateCopies } from "./copy-times.ts";
import type { CopyScenario } from "./copy-times.ts";

const region = "there";
// The same mixture for every cloud: half an hour on average.
const mixedMinutes = [10, 50, 20, 40, 30];

/** 100 GiB in 15 minutes are 113.8 MiB/s; of these, 2,000 MiB/s between two regions hold 17 at once. */
const timeBasedAtOnce = Math.floor(2000 / ((100 * 1024) / (15 * 60)));

/** What is documented, as of November 2026: EBS quotas; Azure's restrictions for copying incremental snapshots. */
const copyScenarios: readonly CopyScenario[] = [
  {
    title: "AWS",
    target: { region, maxConcurrent: 20, isSerialPerVolume: false },
    snapshotsPerVolume: 1,
    copyMinutes: mixedMinutes,
  },
  {
    title: "AWS, 100 GiB each in `copyCompletionMinutes: 15`",
    target: { region, maxConcurrent: timeBasedAtOnce, isSerialPerVolume: false },
    snapshotsPerVolume: 1,
    copyMinutes: [15],
  },
  {
    title: "Azure",
    target: { region, maxConcurrent: 100, isSerialPerVolume: true },
    snapshotsPerVolume: 1,
    copyMinutes: mixedMinutes,
  },
  {
    title: "Azure, ten snapshots of each disk",
    target: { region, maxConcurrent: 100, isSerialPerVolume: true },
    snapshotsPerVolume: 10,
    copyMinutes: mixedMinutes,
  },
];

/** The numbers of snapshots that the table tells about. */
const snapshotCounts: readonly number[] = [1, 10, 100, 1000, 10_000];

/** The table in Markdown. */
export function copyTimesTable(): string {
  const header = ["Snapshots", ...copyScenarios.map(({ title }) => title), "Google Cloud"];
  const rows = snapshotCounts.map((count) => [
    count.toLocaleString("en-US"),
    ...copyScenarios.map((scenario) => timeText(simulateCopies(scenario, count))),
    "none to copy",
  ]);
  const lines = [header, header.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function timeText(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  const hours = minutes / 60;
  return hours < 72 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`;
}
