import { PluginError } from "../plugin/index.ts";

/** Where a location restores volumes. */
export interface RestorePlaces {
  /** Recorded zones and those that take their places. */
  readonly zoneMap: ReadonlyMap<string, string>;
  /** For zones that are not here and not mapped. */
  readonly defaultZone: string | undefined;
  /** The location's region, for messages. */
  readonly region: string;
  /** Whether a zone is one of that region. */
  readonly isHere: (zone: string) => boolean;
}

/** A zone to restore into. */
export interface RestorePlace {
  readonly zone: string;
  /** Why it is another than the recorded one; empty where it is the same. */
  readonly reason: string;
}

/**
 * The zone for a volume: what `zoneMap` says of the recorded one, otherwise the recorded one where it is of this region,
 * otherwise `defaultZone`. Never a guess: a volume in a zone without nodes for it cannot be used by anyone.
 */
export function restorePlace(snapshotId: string, recorded: string, places: RestorePlaces): RestorePlace {
  const { zoneMap, defaultZone, region, isHere } = places;
  const mapped = zoneMap.get(recorded);
  if (mapped !== undefined) return { zone: mapped, reason: mapped === recorded ? "" : "zoneMap" };
  if (recorded !== "" && isHere(recorded)) return { zone: recorded, reason: "" };
  if (defaultZone !== undefined) return { zone: defaultZone, reason: "defaultZone" };
  const action = `create a volume from snapshot "${snapshotId}"`;
  throw new PluginError(
    recorded === ""
      ? `${action}: the backup recorded no availability zone; set the location's key defaultZone to one of ${region}`
      : `${action}: the recorded zone ${recorded} is not in ${region}; set the location's key zoneMap ` +
          `(${recorded}=ZONE) or defaultZone to zones of ${region}`,
    { kind: "invalid-config" },
  );
}
