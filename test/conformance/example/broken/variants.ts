import { diskVariants } from "./disk-variants.ts";
import { listerVariants } from "./lister-variants.ts";
import { listingVariants } from "./listing-variants.ts";
import { logVariants } from "./log-variants.ts";
import { objectVariants } from "./object-variants.ts";
import { processVariants } from "./process-variants.ts";
import { urlVariants } from "./url-variants.ts";
import type { Variant } from "./variant.ts";
import { volumeVariants } from "./volume-variants.ts";

/** Every plugin that the suite must not let pass, each with the test that is meant to catch it. */
export const variants: readonly Variant[] = [
  ...listerVariants,
  ...processVariants,
  ...logVariants,
  ...objectVariants,
  ...listingVariants,
  ...urlVariants,
  ...diskVariants,
  ...volumeVariants,
];
