import type { Socket } from "node:net";

import { ConnectionGone, resetConnection } from "../faults.ts";
import type { Faults } from "../faults.ts";
import { BlobError } from "./blob-error.ts";
import type { StorageAccount } from "./state.ts";

// Of an account that names none.
const defaultRegion = "eastus";

/** How a lost region behaves towards everybody: each request is answered with 503, never answered, or cut off. */
export type Outage = "refuses" | "hangs" | "closes";

/** The regions that are lost for now. */
export class Outages {
  readonly #lost = new Map<string, Outage>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  lose(region: string, outage: Outage): void {
    this.#lost.set(region, outage);
  }

  restore(region: string): void {
    this.#lost.delete(region);
  }

  /** Does to a request for an account what becomes of one in a lost region. */
  async meet(account: StorageAccount, socket: Socket): Promise<void> {
    const outage = this.#of(account);
    if (outage === undefined) return;
    if (outage === "refuses") throw new BlobError("ServerBusy");
    if (outage === "hangs") await this.#faults.stall(socket);
    resetConnection(socket);
    throw new ConnectionGone();
  }

  /** Throws what the store of another region says of a source that it cannot reach, however that is lost. */
  checkSource(account: StorageAccount): void {
    if (this.#of(account) !== undefined) throw new BlobError("CannotVerifyCopySource");
  }

  #of({ region = defaultRegion }: StorageAccount): Outage | undefined {
    return this.#lost.get(region);
  }
}
