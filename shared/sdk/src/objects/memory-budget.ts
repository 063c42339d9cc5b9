interface Waiter {
  readonly share: BudgetShare;
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * A bound on bytes that many transfers share. It only counts; what the bytes are is the caller's.
 *
 * No set of transfers can block each other for ever: one that holds nothing, or stays within its first allowance, is
 * always granted, if need be over the bound; and one that waits is granted at the latest when its own bytes are back.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;
  readonly #waiters: Waiter[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most that was ever in use at once. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Opens the share of one transfer, which may always hold `allowanceBytes`. */
  openShare(allowanceBytes: number): BudgetShare {
    return new BudgetShare(this, allowanceBytes);
  }

  /** Counts bytes at once if nobody waits and they fit. For {@link BudgetShare}. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || this.#usedBytes + bytes > this.limitBytes) return false;
    this.force(bytes);
    return true;
  }

  /** Counts bytes whether they fit or not. For {@link BudgetShare}. */
  force(bytes: number): void {
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
  }

  /** Queues a share until its bytes fit. For {@link BudgetShare}. */
  async wait(share: BudgetShare, bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { share, bytes, grant: resolve };
    const abandon = (): void => {
      const index = this.#waiters.indexOf(waiter);
      if (index === -1) return;
      this.#waiters.splice(index, 1);
      reject(signal.reason);
      this.#grantWaiters();
    };
    signal.addEventListener("abort", abandon, { once: true });
    this.#waiters.push(waiter);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abandon);
    }
  }

  /** Takes bytes off the count. For {@link BudgetShare}. */
  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#grantWaiters();
  }

  #grantWaiters(): void {
    for (const waiter of this.#waiters.filter(({ share, bytes }) => share.mayAlwaysTake(bytes))) this.#grant(waiter);
    for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
      if (this.#usedBytes + head.bytes > this.limitBytes) return;
      this.#grant(head);
    }
  }

  #grant(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    // Counted here rather than when the waiter wakes, so that nobody takes the same bytes in between.
    waiter.share.count(waiter.bytes);
    waiter.grant();
  }
}

/** What one transfer holds of a {@link MemoryBudget}. */
export class BudgetShare {
  readonly #budget: MemoryBudget;
  readonly #allowanceBytes: number;
  #heldBytes = 0;
  #closed = false;

  constructor(budget: MemoryBudget, allowanceBytes: number) {
    this.#budget = budget;
    this.#allowanceBytes = allowanceBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether these bytes are granted even when the bound is reached. */
  mayAlwaysTake(bytes: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + bytes <= this.#allowanceBytes;
  }

  /** Takes bytes, in the order of asking. Rejects with the signal's reason when it aborts first. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.mayAlwaysTake(bytes)) this.count(bytes);
    else if (!this.tryTake(bytes)) await this.#budget.wait(this, bytes, signal);
  }

  /** Takes bytes if they fit at once; never over the bound. */
  tryTake(bytes: number): boolean {
    const taken = this.#budget.tryTake(bytes);
    if (taken) this.#heldBytes += bytes;
    return taken;
  }

  /** Counts bytes as held. For {@link MemoryBudget}, which grants them. */
  count(bytes: number): void {
    this.#heldBytes += bytes;
    this.#budget.force(bytes);
  }

  /** Gives bytes back. Does nothing once the share is closed. */
  give(bytes: number): void {
    if (this.#closed) return;
    this.#heldBytes -= bytes;
    this.#budget.give(bytes);
  }

  /** Gives everything back. Nothing may be taken afterwards. */
  close(): void {
    if (this.#closed) return;
    const held = this.#heldBytes;
    this.#heldBytes = 0;
    this.#closed = true;
    this.#budget.give(held);
  }
}
