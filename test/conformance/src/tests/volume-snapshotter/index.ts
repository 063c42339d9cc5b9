import type { ConformanceTest } from "../../test.ts";
import { initTests } from "./init.ts";
import { locationTests } from "./locations.ts";
import { restoreTests } from "./restore.ts";
import { snapshotTests } from "./snapshots.ts";
import { volumeIdTests } from "./volume-ids.ts";

/** Every test of this subject, in the order in which they run. */
export const volumeSnapshotterTests: readonly ConformanceTest[] = [
  ...initTests,
  ...volumeIdTests,
  ...snapshotTests,
  ...restoreTests,
  ...locationTests,
];
