import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { writeAtomically } from "../versioned-files.ts";
import { diskPath, snapshotPath } from "./model.ts";
import type { Disk, Operation, Snapshot } from "./model.ts";

interface Stored {
  readonly disks: readonly Disk[];
  readonly snapshots: readonly Snapshot[];
  readonly operations: readonly Operation[];
  readonly requests: readonly (readonly [string, string])[];
}

/** Everything that Compute Engine knows, by paths. In one file, too, where there is a folder. */
export class GceState {
  readonly disks = new Map<string, Disk>();
  readonly snapshots = new Map<string, Snapshot>();
  /** Operations by their names. */
  readonly operations = new Map<string, Operation>();
  /** The operations that requests with a request id began. */
  readonly requests = new Map<string, string>();
  readonly #file: string | undefined;
  #lastId = 0n;

  constructor(folder: string | undefined) {
    this.#file = folder === undefined ? undefined : join(folder, "gce.json");
    if (folder === undefined || this.#file === undefined) return;
    mkdirSync(folder, { recursive: true });
    if (!existsSync(this.#file)) return;
    // Written by `save` only.
    const stored = JSON.parse(readFileSync(this.#file, "utf8")) as Stored;
    for (const disk of stored.disks) this.disks.set(diskPath(disk), disk);
    for (const snapshot of stored.snapshots) this.snapshots.set(snapshotPath(snapshot), snapshot);
    for (const operation of stored.operations) this.operations.set(operation.name, operation);
    for (const [id, name] of stored.requests) this.requests.set(id, name);
  }

  /** Returns a number that was not given out before, also by earlier runs. */
  nextId(): string {
    const byTime = BigInt(Date.now()) * 1_000_000n;
    this.#lastId = byTime > this.#lastId ? byTime : this.#lastId + 1n;
    return String(this.#lastId);
  }

  /** Forgets what has been deleted by now. */
  sweep(nowMs: number): void {
    const isGone = (one: Disk | Snapshot): boolean => one.goneMs !== undefined && one.goneMs <= nowMs;
    for (const [key, disk] of this.disks) if (isGone(disk)) this.disks.delete(key);
    for (const [key, snapshot] of this.snapshots) if (isGone(snapshot)) this.snapshots.delete(key);
  }

  /** Writes everything down; a request is answered only after that. */
  save(): void {
    if (this.#file === undefined) return;
    const stored: Stored = {
      disks: [...this.disks.values()],
      snapshots: [...this.snapshots.values()],
      operations: [...this.operations.values()],
      requests: [...this.requests],
    };
    writeAtomically(this.#file, stored);
  }
}
