import { faultsTests } from "./tests/faults/index.ts";
import { listerTests } from "./tests/lister/index.ts";
import { objectStoreTests } from "./tests/object-store/index.ts";
import { processTests } from "./tests/process/index.ts";
import { soakTests } from "./tests/soak/index.ts";
import { volumeSnapshotterTests } from "./tests/volume-snapshotter/index.ts";
import type { ConformanceTest } from "./test.ts";

/** Every test, subject by subject. */
export const suite: readonly ConformanceTest[] = [
  ...listerTests,
  ...processTests,
  ...objectStoreTests,
  ...volumeSnapshotterTests,
  ...faultsTests,
  ...soakTests,
];
