import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Disk, DiskEncryptionSet, Operation, Snapshot } from "./model.ts";
import { keyOf } from "./resource-id.ts";
import type { ResourceId } from "./resource-id.ts";

/** A resource group; what is in it may be elsewhere. */
interface ResourceGroup {
  readonly name: string;
  readonly location: string;
}

/** A subscription with its groups, by their names in lower case. */
export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  readonly groups: Map<string, ResourceGroup>;
}

/** A storage account: only where it is and its keys. */
export interface StorageAccount {
  readonly id: ResourceId;
  readonly location: string;
  readonly blobEndpoint: string;
  readonly keys: readonly { readonly value: string; readonly permissions: "FULL" | "READ" }[];
}

// How long ended operations can be asked for; how long Azure keeps them is not documented.
const keptMs = 24 * 3_600_000;

interface Stored {
  readonly disks: readonly Disk[];
  readonly snapshots: readonly Snapshot[];
  readonly operations: readonly Operation[];
}

/** Everything that ARM knows, by ids in lower case. Disks, snapshots and operations are also in one file where there is a folder. */
export class ArmState {
  readonly subscriptions = new Map<string, Subscription>();
  readonly disks = new Map<string, Disk>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly encryptionSets = new Map<string, DiskEncryptionSet>();
  readonly storageAccounts = new Map<string, StorageAccount>();
  readonly operations = new Map<string, Operation>();
  readonly #path: string | undefined;

  constructor(folder: string | undefined) {
    this.#path = folder === undefined ? undefined : join(folder, "azure-arm.json");
    if (folder === undefined || this.#path === undefined) return;
    mkdirSync(folder, { recursive: true });
    if (!existsSync(this.#path)) return;
    // Written by `save` only.
    const stored = JSON.parse(readFileSync(this.#path, "utf8")) as Stored;
    for (const disk of stored.disks) this.disks.set(keyOf(disk.id), disk);
    for (const snapshot of stored.snapshots) this.snapshots.set(keyOf(snapshot.id), snapshot);
    for (const operation of stored.operations) this.operations.set(operation.name, operation);
  }

  /** Forgets what has been deleted by now, and operations that ended long ago. */
  sweep(nowMs: number): void {
    const isGone = (one: Disk | Snapshot): boolean => one.goneMs !== undefined && one.goneMs <= nowMs;
    for (const [key, disk] of this.disks) if (isGone(disk)) this.disks.delete(key);
    for (const [key, snapshot] of this.snapshots) if (isGone(snapshot)) this.snapshots.delete(key);
    for (const [name, { readyMs }] of this.operations) {
      if (readyMs + keptMs < nowMs) this.operations.delete(name);
    }
  }

  /** Writes everything down; a request is answered only after that. */
  save(): void {
    if (this.#path === undefined) return;
    const stored: Stored = {
      disks: [...this.disks.values()],
      snapshots: [...this.snapshots.values()],
      operations: [...this.operations.values()],
    };
    writeFileSync(`${this.#path}.new`, JSON.stringify(stored));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
