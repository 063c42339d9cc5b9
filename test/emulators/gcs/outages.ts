import type { Socket } from "node:net";

import { ConnectionGone, resetConnection } from "../faults.ts";
import type { Faults } from "../faults.ts";
import { GcsError } from "./gcs-error.ts";
import type { GcsState } from "./state.ts";

/** How a lost location behaves: each request for its buckets is answered with 503, never answered, or cut off. */
export type GcsOutage = "refuses" | "hangs" | "closes";

/** The locations that are lost for now, such as `EUROPE-WEST1`. */
export class GcsOutages {
  readonly #lost = new Map<string, GcsOutage>();
  readonly #state: GcsState;
  readonly #faults: Faults;

  constructor(state: GcsState, faults: Faults) {
    this.#state = state;
    this.#faults = faults;
  }

  lose(location: string, outage: GcsOutage): void {
    this.#lost.set(location.toUpperCase(), outage);
  }

  restore(location: string): void {
    this.#lost.delete(location.toUpperCase());
  }

  /**
   * Does to a request what becomes of one for a bucket in a lost location. A rewrite is the business of its destination,
   * which answers that it cannot reach the source.
   */
  async meet(bucket: string, destination: string | undefined, socket: Socket): Promise<void> {
    const outage = this.#of(destination ?? bucket);
    if (outage === undefined && this.#of(bucket) === undefined) return;
    if (outage === "hangs") await this.#faults.stall(socket);
    if (outage === undefined || outage === "refuses") throw new GcsError(503, "backendError", "Backend Error");
    resetConnection(socket);
    throw new ConnectionGone();
  }

  #of(bucket: string): GcsOutage | undefined {
    return this.#state.hasBucket(bucket)
      ? this.#lost.get(this.#state.bucket(bucket).config.location.toUpperCase())
      : undefined;
  }
}
