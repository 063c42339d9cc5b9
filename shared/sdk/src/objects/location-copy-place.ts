import { MadeOnce } from "../plugin/index.ts";
import type { CopyTarget, OpenContext } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { CopyPlace } from "./copy-place.ts";

/** How a plugin opens a target of `copyTo`. */
export interface CopyPlaceOpener<Target, Location> {
  /** Opens the location that the copies are, as another cluster would open it. */
  openLocation(target: Target, context: OpenContext): Promise<Location>;
  /** The driver of the target's bucket. */
  driverOf(location: Location, target: Target): BlobDriver;
}

/** A copyTo target, opened when it is first needed: a wrong one must not stand in the way of a restore. */
export class LocationCopyPlace<
  Target extends CopyTarget<unknown>,
  Location extends { close(): void },
> implements CopyPlace {
  readonly target: Target;
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly mode: CopyPlace["mode"];
  readonly #opener: CopyPlaceOpener<Target, Location>;
  readonly #location: MadeOnce<Location>;

  constructor(target: Target, opener: CopyPlaceOpener<Target, Location>, context: OpenContext) {
    this.target = target;
    this.name = target.name;
    this.bucket = target.bucket;
    this.prefix = target.prefix;
    this.mode = target.mode;
    this.#opener = opener;
    this.#location = new MadeOnce(
      // The opening's signal ends with the opening; this one comes later.
      async () => await opener.openLocation(target, { ...context, signal: new AbortController().signal }),
    );
  }

  async open(): Promise<BlobDriver> {
    return this.#opener.driverOf(await this.location(), this.target);
  }

  /** The location that the copies are. */
  async location(): Promise<Location> {
    return await this.#location.get();
  }

  async close(): Promise<void> {
    // One that could not be opened has nothing to close.
    const location = await this.#location.asked?.catch(() => undefined);
    location?.close();
  }
}
