import { isKind, isTransient } from "../plugin/index.ts";
import type { Call, Logger, OpenedVolumeSnapshotter, SnapshotCopy } from "../plugin/index.ts";
import { chooseCopy } from "./local-copy.ts";
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
    const [nearest, ...others] = this.#inOrder(name, id);
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

  /**
   * Runs a call that reads a snapshot on the location that knows it. Only when none does, a copy of it is looked for in
   * each location's own region, so that a snapshot which is there is never mistaken for its copy. A location that could
   * not be asked for the snapshot itself (its region may be lost) may answer by its own copy only.
   */
  async whereReadable<R>(
    name: string,
    id: string,
    call: Call,
    work: (snapshotter: OpenedVolumeSnapshotter, snapshotId: string) => Promise<R>,
  ): Promise<R> {
    const failures = new Map<OpenedVolumeSnapshotter, unknown>();
    try {
      return await this.whereKnown(name, id, async (snapshotter) => {
        try {
          return await work(snapshotter, id);
        } catch (error) {
          failures.set(snapshotter, error);
          throw error;
        }
      });
    } catch (error) {
      const isAbsent = isKind(error, "not-found");
      if (!isAbsent && !isKind(error, "denied") && !isTransient(error)) throw error;
      const candidates = this.#inOrder(name, id).filter(
        ({ opened }) => isAbsent || (failures.has(opened) && failures.get(opened) === error),
      );
      for (const location of candidates) {
        const copy = await location.use(async ({ copies }) => await localCopy(copies, id, isAbsent, call));
        if (copy === undefined) continue;
        call.log.info("the snapshot is of another region: its copy in this one is used", {
          snapshotId: id,
          copyId: copy.copyId,
          region: copy.region,
          originRegion: copy.originRegion,
        });
        return await location.use(async (snapshotter) => await work(snapshotter, copy.copyId));
      }
      throw error;
    }
  }

  /** Deletes the copies of a snapshot that no location knows any more, wherever a location's own region has some. */
  async deleteLocalCopies(name: string, snapshotId: string, call: Call): Promise<void> {
    for (const location of this.#inOrder(name, snapshotId))
      await location.use(async ({ copies }) => {
        for (const { region, copyId } of (await copies?.localCopies(snapshotId, call)) ?? []) {
          await copies?.deleteCopy({ region, copyId }, call);
          call.log.info("the copy of a snapshot of another region is deleted", { snapshotId, copyId, region });
        }
      });
  }

  #inOrder(name: string, id: string): readonly [Location, ...Location[]] {
    const [newest, ...older] = this.#locations.of(name);
    return byAffinity(id, newest, older);
  }
}

async function localCopy(
  copies: OpenedVolumeSnapshotter["copies"],
  id: string,
  isAbsent: boolean,
  call: Call,
): Promise<SnapshotCopy | undefined> {
  if (copies === undefined) return undefined;
  try {
    return chooseCopy(id, await copies.localCopies(id, call));
  } catch (error) {
    // Where the snapshot itself could not be asked for, that failure says more than one about its copies.
    if (isAbsent) throw error;
    return undefined;
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
