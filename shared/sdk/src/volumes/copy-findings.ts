import { advice } from "../plugin/index.ts";
import type { Finding } from "../plugin/index.ts";

/** What a location's check says of its copies beside their permissions: what makes them, where the backup does not. */
export function copyFindings({
  copyToRegions,
  wait,
}: {
  readonly copyToRegions: readonly unknown[];
  readonly wait: "none" | "completed";
}): readonly Finding[] {
  if (copyToRegions.length === 0 || wait === "completed") return [];
  return [
    advice(
      "copyToRegions",
      "without wait: completed, copies are not made while a backup runs",
      "run `flotilla volume copy --all --watch` as a CronJob, or set wait to completed",
    ),
  ];
}
