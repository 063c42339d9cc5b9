import { MemoryBudget } from "./memory-budget.ts";
import type { BudgetShare } from "./memory-budget.ts";

/**
 * The memory of all transfers of one location: a bound on bytes, and part buffers that are used again, because fresh
 * buffers of this size cost page faults and keep the garbage collector busy.
 */
export class PartPool {
  readonly budget: MemoryBudget;
  readonly #idle: Buffer<ArrayBuffer>[] = [];
  #idleBytes = 0;
  #lentBytes = 0;

  constructor(limitBytes: number) {
    this.budget = new MemoryBudget(limitBytes);
  }

  /** Opens the share of one upload, which may always hold one part of `allowanceBytes`. */
  openShare(allowanceBytes: number): PartShare {
    return new PartShare(this, this.budget.openShare(allowanceBytes));
  }

  /** Opens the share of one download, which brings its own buffers and never takes more than is free. */
  openReadAhead(): ReadAheadShare {
    return new ReadAheadShare(this, this.budget.openShare(0));
  }

  /** A buffer of exactly this capacity with arbitrary content, already counted. For {@link PartShare}. */
  lend(capacity: number): Buffer<ArrayBuffer> {
    this.#lentBytes += capacity;
    const index = this.#idle.findIndex((buffer) => buffer.byteLength === capacity);
    const buffer = index === -1 ? undefined : this.#idle.splice(index, 1)[0];
    if (buffer !== undefined) {
      this.#idleBytes -= capacity;
      return buffer;
    }
    this.dropIdle(this.budget.usedBytes);
    return Buffer.allocUnsafeSlow(capacity);
  }

  /** Takes a buffer back for the next one who asks for its capacity. For {@link PartShare}. */
  keep(buffer: Buffer<ArrayBuffer>): void {
    this.#lentBytes -= buffer.byteLength;
    this.#idle.push(buffer);
    this.#idleBytes += buffer.byteLength;
    // Not against the budget's count: it may already hold the bytes of the one who is about to take this very buffer.
    this.dropIdle(this.#lentBytes);
  }

  /** Forgets buffers that do not come back. For {@link PartShare}. */
  forget(bytes: number): void {
    this.#lentBytes -= bytes;
  }

  /** Drops idle buffers until they fit beside so many bytes. */
  dropIdle(usedBytes: number): void {
    while (this.#idle.length > 0 && usedBytes + this.#idleBytes > this.budget.limitBytes)
      this.#idleBytes -= this.#idle.shift()?.byteLength ?? 0;
  }
}

/** The part buffers of one upload. */
export class PartShare {
  readonly #pool: PartPool;
  readonly #budget: BudgetShare;
  #lentBytes = 0;
  #closed = false;

  constructor(pool: PartPool, budget: BudgetShare) {
    this.#pool = pool;
    this.#budget = budget;
  }

  /** Takes a buffer with arbitrary content. Waits for its turn; rejects with the signal's reason when it aborts first. */
  async take(capacity: number, signal: AbortSignal): Promise<Buffer<ArrayBuffer>> {
    await this.#budget.take(capacity, signal);
    return this.#lend(capacity);
  }

  /** Exchanges a buffer for a larger one that begins with the same bytes. */
  async grow(buffer: Buffer<ArrayBuffer>, capacity: number, signal: AbortSignal): Promise<Buffer<ArrayBuffer>> {
    await this.#budget.take(capacity - buffer.byteLength, signal);
    const larger = this.#lend(capacity);
    larger.set(buffer);
    this.#lentBytes -= buffer.byteLength;
    this.#pool.keep(buffer);
    return larger;
  }

  /**
   * Gives a buffer back. `isIdle` says that nobody can still be reading it: after a failed request somebody may, and
   * bytes of another object must never appear under a request that is still on its way.
   */
  give(buffer: Buffer<ArrayBuffer>, isIdle: boolean): void {
    if (this.#closed) return;
    this.#lentBytes -= buffer.byteLength;
    if (isIdle) this.#pool.keep(buffer);
    else this.#pool.forget(buffer.byteLength);
    this.#budget.give(buffer.byteLength);
  }

  /** Gives everything back; buffers that were not given back before are not used again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.forget(this.#lentBytes);
    this.#budget.close();
  }

  #lend(capacity: number): Buffer<ArrayBuffer> {
    this.#lentBytes += capacity;
    return this.#pool.lend(capacity);
  }
}

/** What one download may hold beyond the chunk in hand. */
export class ReadAheadShare {
  readonly #pool: PartPool;
  readonly #budget: BudgetShare;

  constructor(pool: PartPool, budget: BudgetShare) {
    this.#pool = pool;
    this.#budget = budget;
  }

  get heldBytes(): number {
    return this.#budget.heldBytes;
  }

  /** Takes bytes if they are free and nobody waits for them. */
  tryTake(bytes: number): boolean {
    const taken = this.#budget.tryTake(bytes);
    if (taken) this.#pool.dropIdle(this.#pool.budget.usedBytes);
    return taken;
  }

  give(bytes: number): void {
    this.#budget.give(bytes);
  }

  close(): void {
    this.#budget.close();
  }
}
