import { isKind } from "../plugin/index.ts";
import type { Logger, OpenedVolumeSnapshotter } from "../plugin/index.ts";
import { OpenedLocations } from "./opened-locations.ts";
import type { OpenedLocation } from "./opened-locations.ts";

/** The opened volume snapshotters. */
export class SnapshotLocations {
  /** A location is its whole configuration, in a canonical form: nothing else tells two of them apart. */
  readonly #locations: OpenedLocations<OpenedVolumeSnapshotter, string>;

  constructor(log: Logger) {
    this.#locations = new OpenedLocations("VolumeSnapshotter", log, (a, b) => a === b);
  }

  add(name: string, config: Readonly<Record<string, string>>, opened: OpenedVolumeSnapshotter): void {
    const canonical = Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.#locations.add(name, JSON.stringify(canonical), opened);
  }

  /** Runs a call on the newest location. */
  async newest<R>(name: string, work: (snapshotter: OpenedVolumeSnapshotter) => Promise<R>): Promise<R> {
    return await this.#locations.of(name)[0].use(work);
  }

  /**
   * Runs a call that names a volume or snapshot on the location that its id speaks for, the newest of equals, and, where
   * that does not know it, on each other one. A location that denies access may be somebody else's, so the search goes on; it is reported when none knows the
   * id, since then it was not proved absent. Any other failure ends the search: the call may have had its effect.
   */
  async whereKnown<R>(
    name: string,
    id: string,
    work: (snapshotter: OpenedVolumeSnapshotter) => Promise<R>,
  ): Promise<R> {
    const [newest, ...older] = this.#locations.of(name);
    const [nearest, ...others] = byAffinity(id, newest, older);
    let failure: unknown;
    try {
      return await nearest.use(work);
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
      failure = error;
    }
    for (const location of others) {
      try {
        return await location.use(work);
      } catch (error) {
        if (isKind(error, "denied")) failure = error;
        else if (!isKind(error, "not-found")) throw error;
      }
    }
    throw failure;
  }
}

type Location = OpenedLocation<OpenedVolumeSnapshotter, string>;

function byAffinity(id: string, newest: Location, older: readonly Location[]): readonly [Location, ...Location[]] {
  const [first = newest, ...others] = [newest, ...older]
    .map((location) => ({ location, affinity: location.opened.affinity?.(id) ?? 0 }))
    .toSorted((a, b) => b.affinity - a.affinity)
    .map(({ location }) => location);
  return [first, ...others];
}
