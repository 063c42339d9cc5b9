import type { Probe } from "../probe.ts";
import { accessProbes } from "./access.ts";
import { blockProbes } from "./blocks.ts";
import type { BlobContext } from "./context.ts";
import { copyProbes } from "./copies.ts";
import { listingProbes } from "./listing.ts";
import { objectProbes } from "./objects.ts";
import { protectionProbes } from "./protection.ts";
import { readingProbes } from "./reading.ts";
import { signatureProbes } from "./signatures.ts";

/** Everything that a stand-in of Azure Blob Storage must do. */
export const blobProbes: readonly Probe<BlobContext>[] = [
  ...objectProbes,
  ...blockProbes,
  ...readingProbes,
  ...listingProbes,
  ...accessProbes,
  ...signatureProbes,
  ...copyProbes,
  ...protectionProbes,
];
