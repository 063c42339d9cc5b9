import type { Probe } from "../probe.ts";
import { accessProbes } from "./access.ts";
import type { S3Context } from "./context.ts";
import { multipartProbes } from "./multipart.ts";
import { objectProbes } from "./objects.ts";
import { protectionProbes } from "./protection.ts";
import { readingProbes } from "./reading.ts";

/** Everything that a stand-in of S3 must do. */
export const s3Probes: readonly Probe<S3Context>[] = [
  ...objectProbes,
  ...multipartProbes,
  ...readingProbes,
  ...protectionProbes,
  ...accessProbes,
];
