import { PluginError } from "../plugin/index.ts";
import type {
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "../plugin/index.ts";

/** A request to the double. */
export interface CopierRequest {
  readonly operation: "listOrigins" | "listCopies" | "startCopy" | "tendCopy" | "deleteCopy" | "localCopies";
  /** A target, or the location's own region. */
  readonly region: string;
  /** The id of a snapshot or copy; empty for a whole list. */
  readonly id: string;
}

/** What the double is made with. */
export interface MemoryCopierOptions {
  readonly region?: string;
  readonly targets?: readonly CopyRegion[];
  /** The snapshots as they are now. */
  readonly origins: () => readonly SnapshotOrigin[];
  /** Called before each request; what it throws is the answer. */
  readonly before?: (request: CopierRequest) => void;
}

/** Copies of snapshots in memory that keep the whole contract; a copy is pending until the test ends that. */
export class MemorySnapshotCopier implements SnapshotCopier {
  /** Every request, in order. */
  readonly requests: CopierRequest[] = [];
  readonly copies = new Map<string, SnapshotCopy>();
  readonly #options: MemoryCopierOptions;
  #made = 0;

  constructor(options: MemoryCopierOptions) {
    this.#options = options;
  }

  /** Ends pending copies: all, or those for which `state` answers how. */
  settle(state: (copy: SnapshotCopy) => SnapshotCopy["state"] = () => "completed"): void {
    for (const [id, copy] of this.copies)
      if (copy.state === "pending") this.copies.set(id, { ...copy, state: state(copy), progressPercent: 100 });
  }

  async targets(): Promise<readonly CopyRegion[]> {
    return await Promise.resolve(this.#options.targets ?? []);
  }

  async *listOrigins({ backup, snapshotIds }: OriginQuery): AsyncIterable<SnapshotOrigin> {
    this.#ask("listOrigins", this.#region, snapshotIds?.[0] ?? "");
    yield* await Promise.resolve(
      this.#options
        .origins()
        .filter((origin) => backup === undefined || origin.backup === backup)
        .filter(({ snapshotId }) => snapshotIds === undefined || snapshotIds.includes(snapshotId)),
    );
  }

  async *listCopies({ region, originId }: CopyQuery): AsyncIterable<SnapshotCopy> {
    this.#ask("listCopies", region, originId ?? "");
    const copies = [...this.copies.values()].filter((copy) => copy.region === region);
    yield* await Promise.resolve(copies.filter((copy) => originId === undefined || copy.originId === originId));
  }

  async startCopy({ originId, region }: { readonly originId: string; readonly region: string }): Promise<string> {
    this.#ask("startCopy", region, originId);
    if (!this.#options.origins().some(({ snapshotId }) => snapshotId === originId)) throw absent(originId);
    this.#made += 1;
    const copyId = `${region}-copy-${this.#made}`;
    const copy = snapshotCopy({
      copyId,
      region,
      originId,
      originRegion: this.#region,
      startedAt: new Date(this.#made),
    });
    this.copies.set(copyId, copy);
    return await Promise.resolve(copyId);
  }

  async tendCopy({ region, copyId }: CopyRef): Promise<void> {
    this.#ask("tendCopy", region, copyId);
    const copy = this.copies.get(copyId);
    if (copy === undefined) throw absent(copyId);
    this.copies.set(copyId, { ...copy, needsTending: false });
    await Promise.resolve();
  }

  async deleteCopy({ region, copyId }: CopyRef): Promise<void> {
    this.#ask("deleteCopy", region, copyId);
    if (!this.copies.delete(copyId)) throw absent(copyId);
    await Promise.resolve();
  }

  async localCopies(originId: string): Promise<readonly SnapshotCopy[]> {
    this.#ask("localCopies", this.#region, originId);
    const copies = [...this.copies.values()].filter((copy) => copy.region === this.#region);
    return await Promise.resolve(copies.filter((copy) => copy.originId === originId));
  }

  get #region(): string {
    return this.#options.region ?? "here";
  }

  #ask(operation: CopierRequest["operation"], region: string, id: string): void {
    const request = { operation, region, id };
    this.requests.push(request);
    this.#options.before?.(request);
  }
}

/** A target without rules, but for those given. */
export function copyTarget(target: Partial<CopyRegion> = {}): CopyRegion {
  return {
    region: target.region ?? "there",
    maxConcurrent: target.maxConcurrent ?? 0,
    isSerialPerVolume: target.isSerialPerVolume ?? false,
  };
}

/** A complete snapshot, but for what is given. */
export function snapshotOrigin(origin: Partial<SnapshotOrigin> = {}): SnapshotOrigin {
  return {
    snapshotId: "snap-1",
    volumeId: "vol-1",
    backup: "nightly",
    readiness: "ready",
    state: "completed",
    progressPercent: 100,
    sizeBytes: 1n << 30n,
    startedAt: new Date(0),
    ...origin,
  };
}

/** A pending copy, but for what is given. */
export function snapshotCopy(copy: Partial<SnapshotCopy> = {}): SnapshotCopy {
  return {
    copyId: "copy-1",
    region: "there",
    originId: "snap-1",
    originRegion: "here",
    state: "pending",
    detail: "",
    progressPercent: 0,
    startedAt: new Date(0),
    needsTending: false,
    ...copy,
  };
}

function absent(id: string): PluginError {
  return new PluginError(`${id} not found`, { kind: "not-found" });
}
