import type { Probe } from "../probe.ts";
import { accessProbes } from "./access.ts";
import { conditionProbes } from "./conditions.ts";
import type { GcsContext } from "./context.ts";
import { copyingProbes } from "./copying.ts";
import { listingProbes } from "./listing.ts";
import { protectionProbes } from "./protection.ts";
import { readingProbes } from "./reading.ts";
import { resumableProbes } from "./resumable.ts";
import { uploadProbes } from "./uploads.ts";

/** What a server of the API of Cloud Storage must do. */
export const gcsProbes: readonly Probe<GcsContext>[] = [
  ...uploadProbes,
  ...resumableProbes,
  ...conditionProbes,
  ...readingProbes,
  ...listingProbes,
  ...copyingProbes,
  ...protectionProbes,
  ...accessProbes,
];
