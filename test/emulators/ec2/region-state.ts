import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Snapshot, Volume } from "./model.ts";

interface Stored {
  readonly volumes: readonly Volume[];
  readonly snapshots: readonly Snapshot[];
  readonly tokens: readonly (readonly [string, TokenUse])[];
}

/** What a client token was used for. */
export interface TokenUse {
  readonly fingerprint: string;
  readonly id: string;
}

/** All volumes and snapshots of one region, in memory and in one file. */
export class RegionState {
  readonly region: string;
  readonly volumes = new Map<string, Volume>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly tokens = new Map<string, TokenUse>();
  readonly #path: string;

  constructor(region: string, folder: string) {
    this.region = region;
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, `${region}.json`);
    if (!existsSync(this.#path)) return;
    // Written by `save` only.
    const stored = JSON.parse(readFileSync(this.#path, "utf8")) as Stored;
    for (const volume of stored.volumes) this.volumes.set(volume.id, volume);
    for (const snapshot of stored.snapshots) this.snapshots.set(snapshot.id, snapshot);
    for (const [token, use] of stored.tokens) this.tokens.set(token, use);
  }

  get zones(): readonly string[] {
    return ["a", "b", "c"].map((letter) => this.region + letter);
  }

  /** Writes everything down; a request is answered only after that. */
  save(): void {
    const stored: Stored = {
      volumes: [...this.volumes.values()],
      snapshots: [...this.snapshots.values()],
      tokens: [...this.tokens],
    };
    writeFileSync(`${this.#path}.new`, JSON.stringify(stored));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
