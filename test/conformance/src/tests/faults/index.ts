import { downloadTests } from "./downloads.ts";
import { gzipTests } from "./gzip.ts";
import { killTests } from "./kill.ts";
import { listingTests } from "./listings.ts";
import { silenceTests } from "./silence.ts";
import { slowTests } from "./slow.ts";
import { stormTests } from "./storms.ts";
import { unreachableTests } from "./unreachable.ts";
import { uploadTests } from "./uploads.ts";
import { wrongBytesTests } from "./wrong-bytes.ts";
import { volumeFaultTests } from "./volumes.ts";
import type { ConformanceTest } from "../../test.ts";

/** Every test of this subject, in the order in which they run. */
export const faultsTests: readonly ConformanceTest[] = [
  ...downloadTests,
  ...uploadTests,
  ...wrongBytesTests,
  ...stormTests,
  ...listingTests,
  ...gzipTests,
  ...killTests,
  ...slowTests,
  ...unreachableTests,
  ...volumeFaultTests,
  ...silenceTests,
];
