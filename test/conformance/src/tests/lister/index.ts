import { listTests } from "./list.ts";
import type { ConformanceTest } from "../../test.ts";

/** Every test of this subject, in the order in which they run. */
export const listerTests: readonly ConformanceTest[] = [...listTests];
