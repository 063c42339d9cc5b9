import { rmSync } from "node:fs";

import { VersionedFiles, writeAtomically } from "../versioned-files.ts";
import type { VersionFolders } from "../versioned-files.ts";
import type { ObjectMeta } from "./object-meta.ts";

/** The settings of a bucket. Lifecycle and policy are kept and returned, and have no effect. */
export interface BucketConfig {
  readonly name: string;
  readonly region: string;
  readonly owner: string;
  readonly created: string;
  readonly versioning?: "Enabled" | "Suspended";
  readonly objectLock?: {
    readonly defaultMode?: "GOVERNANCE" | "COMPLIANCE";
    readonly days?: number;
    readonly years?: number;
  };
  readonly tags?: Readonly<Record<string, string>>;
  readonly lifecycle?: string;
  readonly policy?: string;
  readonly encryption?: { readonly algorithm: string; readonly keyId?: string };
}

/** Where a bucket keeps its files. */
export interface BucketFolders extends VersionFolders {
  readonly configFile: string;
}

/** One bucket: its settings and its objects. */
export class Bucket {
  readonly objects: VersionedFiles<ObjectMeta>;
  #config: BucketConfig;
  readonly #configFile: string;

  constructor(config: BucketConfig, folders: BucketFolders) {
    this.objects = new VersionedFiles(folders);
    this.#config = config;
    this.#configFile = folders.configFile;
  }

  get config(): BucketConfig {
    return this.#config;
  }

  /** Changes settings; an undefined value removes one. */
  configure(changes: { readonly [K in keyof BucketConfig]?: BucketConfig[K] | undefined }): void {
    const next = Object.fromEntries(Object.entries({ ...this.#config, ...changes }).filter(([, v]) => v !== undefined));
    // The required settings cannot be removed: no caller passes them.
    this.#config = next as unknown as BucketConfig;
    this.saveConfig();
  }

  saveConfig(): void {
    writeAtomically(this.#configFile, this.#config);
  }

  /** Removes the bucket's files. */
  destroy(): void {
    rmSync(this.#configFile, { force: true });
    this.objects.destroy();
  }
}
