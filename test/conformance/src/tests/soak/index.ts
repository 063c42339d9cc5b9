import { mixedWorkTests } from "./mixed-work.ts";
import type { ConformanceTest } from "../../test.ts";

/** Every test of this subject, in the order in which they run. */
export const soakTests: readonly ConformanceTest[] = [...mixedWorkTests];
