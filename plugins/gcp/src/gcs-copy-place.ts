import { LocationCopyPlace } from "@flotilla/sdk/objects";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { GcsCopyTarget } from "./config-copies.ts";
import { copyTargetConfig } from "./copy-target-config.ts";
import { openGcsLocation } from "./gcs-location.ts";
import type { GcsLocation } from "./gcs-location.ts";

/** A copyTo target. */
export type GcsCopyPlace = LocationCopyPlace<GcsCopyTarget, GcsLocation>;

/** Makes the place of a copyTo target, which is opened when it is first needed. */
export function gcsCopyPlace(target: GcsCopyTarget, origin: GcsLocation, context: OpenContext): GcsCopyPlace {
  const { config, settings } = origin;
  return new LocationCopyPlace<GcsCopyTarget, GcsLocation>(
    target,
    {
      openLocation: async (target, context) =>
        await openGcsLocation(copyTargetConfig(config, target), context, {
          session: origin.openSession(config.bucket),
          customerKey: settings.customerKey,
          isSameIdentity: target.config.credentialsFile === undefined,
        }),
      driverOf: (location, { bucket }) => location.openDriver(location.openSession(bucket)),
    },
    context,
  );
}
