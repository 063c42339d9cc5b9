import type { CopyPlace } from "@flotilla/sdk/objects";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { GcsCopyTarget } from "./config-copies.ts";
import { copyTargetConfig } from "./copy-target-config.ts";
import type { GcsBlobDriver } from "./gcs-blob-driver.ts";
import { openGcsLocation } from "./gcs-location.ts";
import type { GcsLocation } from "./gcs-location.ts";

/** A copyTo target, opened when it is first needed: a wrong one must not stand in the way of a restore. */
export class GcsCopyPlace implements CopyPlace {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string | undefined;
  readonly mode: CopyPlace["mode"];
  readonly target: GcsCopyTarget;
  readonly #origin: GcsLocation;
  readonly #context: OpenContext;
  #location: Promise<GcsLocation> | undefined;

  constructor(target: GcsCopyTarget, origin: GcsLocation, context: OpenContext) {
    this.name = target.name;
    this.bucket = target.bucket;
    this.prefix = target.prefix;
    this.mode = target.mode;
    this.target = target;
    this.#origin = origin;
    this.#context = context;
  }

  async open(): Promise<GcsBlobDriver> {
    const location = await this.location();
    return location.openDriver(location.openSession(this.bucket));
  }

  /** The location that the copies are: as another cluster would open it. */
  async location(): Promise<GcsLocation> {
    this.#location ??= this.#openLocation();
    try {
      return await this.#location;
    } catch (error) {
      this.#location = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    // One that could not be opened has nothing to close.
    const location = await this.#location?.catch(() => undefined);
    location?.close();
  }

  async #openLocation(): Promise<GcsLocation> {
    const { config, settings } = this.#origin;
    // The opening's signal ends with the opening; this one comes later.
    const context = { ...this.#context, signal: new AbortController().signal };
    return await openGcsLocation(copyTargetConfig(config, this.target), context, {
      session: this.#origin.openSession(config.bucket),
      customerKey: settings.customerKey,
      isSameIdentity: this.target.config.credentialsFile === undefined,
    });
  }
}
