import type { Logger, OpenedObjectStore } from "../plugin/index.ts";
import { OpenedLocations } from "./opened-locations.ts";
import type { OpenedLocation } from "./opened-locations.ts";

/** What tells object locations of one name apart. */
export interface ObjectLocationKey {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

type Location = OpenedLocation<OpenedObjectStore, ObjectLocationKey>;

/** The opened object stores. */
export class ObjectLocations {
  readonly #locations: OpenedLocations<OpenedObjectStore, ObjectLocationKey>;

  constructor(log: Logger) {
    this.#locations = new OpenedLocations("ObjectStore", log, (a, b) => a.bucket === b.bucket && a.prefix === b.prefix);
  }

  add(name: string, config: Readonly<Record<string, string>>, opened: OpenedObjectStore): void {
    const prefix = (config["prefix"] ?? "").replace(/^\/+|\/+$/g, "");
    this.#locations.add(name, { bucket: config["bucket"] ?? "", prefix }, opened);
  }

  /**
   * The location that a key (or the prefix of a list) of a bucket belongs to: of those with this bucket the one whose
   * prefix is the longest that contains the key, else the newest. A bucket that no location has is asked of the newest.
   */
  find(name: string, bucket: string, key: string): Location {
    const all = this.#locations.of(name);
    const ofBucket = all.filter((location) => location.key.bucket === bucket);
    const containing = ofBucket.filter((location) => contains(location.key.prefix, key));
    // The order is newest first and stable, so that the newest wins a tie.
    const [closest] = containing.toSorted((a, b) => b.key.prefix.length - a.key.prefix.length);
    return closest ?? ofBucket[0] ?? all[0];
  }
}

/** Whether the key lies below the prefix, on whole path segments: `a/b` contains `a/b/c`, not `a/bc`. */
function contains(prefix: string, key: string): boolean {
  return prefix === "" || key === prefix || key.startsWith(`${prefix}/`);
}
