import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { hashKey, writeAtomically } from "../versioned-files.ts";
import { BlobError } from "./blob-error.ts";
import { Container } from "./container.ts";
import type { ContainerConfig } from "./container.ts";

/**
 * What a principal may do with the data of an account: the roles of Azure that begin with "Storage Blob". Only an owner
 * reads and writes tags; a delegator may only ask for user delegation keys.
 */
export type DataRole = "owner" | "contributor" | "reader" | "delegator" | "none";

/** A storage account. */
export interface StorageAccount {
  readonly name: string;
  /** Base64, as the portal shows them; each is good. */
  readonly keys: readonly string[];
  /** False: shared keys and what they sign are refused. Default: true. */
  readonly allowsSharedKey?: boolean;
  /** Overwritten and deleted blobs stay as versions. Default: false. */
  readonly isVersioned?: boolean;
  /** The encryption scopes that exist. Default: none. */
  readonly encryptionScopes?: readonly string[];
  /** The roles of principals by their object id. Default: owner for everybody with a token. */
  readonly roles?: Readonly<Record<string, DataRole>>;
  /** The only tenant whose tokens are good. Default: any. */
  readonly tenantId?: string;
  /** Where it is; accounts of one region are lost together. Default: eastus. */
  readonly region?: string;
}

/** What the operations need to know of the stand-in's settings. */
export interface BlobStandInSettings {
  /** How long an asynchronous copy is pending. */
  readonly copyMs: number;
  /** How long an archived blob takes to come back. */
  readonly rehydrateMs: number;
  /** How many entries a page of a list has at most. */
  readonly pageSize: number;
}

const rootName = "azure-blob";

/** Returns the file that holds a committed blob's bytes, for tests that change them below the server. */
export function blobFile(stateDir: string, account: string, container: string, name: string): string {
  return join(stateDir, rootName, "accounts", account, container, "blobs", hashKey(name), "data");
}

/** All containers of all accounts of one stand-in, kept below one folder. */
export class BlobState {
  readonly settings: BlobStandInSettings;
  readonly #accounts: ReadonlyMap<string, StorageAccount>;
  readonly #containers = new Map<string, Map<string, Container>>();
  readonly #root: string;
  readonly #delegationSecret: string;
  #sequence = 0;
  #ticks = 0n;

  constructor(stateDir: string, accounts: readonly StorageAccount[], settings: BlobStandInSettings) {
    this.settings = settings;
    this.#root = join(stateDir, rootName);
    this.#accounts = new Map(accounts.map((account) => [account.name, account]));
    rmSync(this.#staging, { recursive: true, force: true });
    mkdirSync(this.#staging, { recursive: true });
    this.#delegationSecret = this.#loadSecret();
    for (const { name } of accounts) this.#containers.set(name, this.#loadContainers(name));
  }

  account(name: string): StorageAccount | undefined {
    return this.#accounts.get(name);
  }

  /** Returns a container; throws ContainerNotFound. */
  container(account: StorageAccount, name: string): Container {
    const container = this.findContainer(account, name);
    if (container === undefined) throw new BlobError("ContainerNotFound");
    return container;
  }

  findContainer(account: StorageAccount, name: string): Container | undefined {
    return this.#containers.get(account.name)?.get(name);
  }

  containers(account: StorageAccount): readonly Container[] {
    return [...(this.#containers.get(account.name)?.values() ?? [])];
  }

  createContainer(account: StorageAccount, config: ContainerConfig): void {
    const folder = join(this.#root, "accounts", account.name, config.name);
    const container = new Container(config, folder);
    container.save();
    this.#containers.get(account.name)?.set(config.name, container);
  }

  deleteContainer(account: StorageAccount, container: Container): void {
    this.#containers.get(account.name)?.delete(container.config.name);
    container.destroy();
  }

  /** Returns a number above all that were given out before, also by earlier runs. */
  nextSequence(): number {
    this.#sequence = Math.max(this.#sequence + 1, Date.now() * 1000);
    return this.#sequence;
  }

  /** Returns a time in Azure's seven decimals that no version or snapshot has yet. */
  nextTimestamp(now: Date): string {
    const ticks = BigInt(now.getTime()) * 10_000n;
    this.#ticks = ticks > this.#ticks ? ticks : this.#ticks + 1n;
    const seconds = new Date(Number(this.#ticks / 10_000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(this.#ticks % 10_000_000n).padStart(7, "0")}Z`;
  }

  /** Computes the value of a user delegation key; the same facts give the same key, also after a restart. */
  delegationKey(facts: readonly string[]): string {
    return createHmac("sha256", this.#delegationSecret).update(facts.join("\n")).digest("base64");
  }

  /** Makes a folder for data that is not visible yet, hands it to `use`, and removes what is left of it. */
  async withStaging<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.#staging, randomUUID());
    mkdirSync(folder);
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  get #staging(): string {
    return join(this.#root, "staging");
  }

  #loadContainers(account: string): Map<string, Container> {
    const folder = join(this.#root, "accounts", account);
    mkdirSync(folder, { recursive: true });
    const containers = new Map<string, Container>();
    for (const name of readdirSync(folder)) {
      if (!existsSync(join(folder, name, "container.json")) || name.endsWith(".deleted")) continue;
      containers.set(name, Container.load(join(folder, name)));
    }
    return containers;
  }

  #loadSecret(): string {
    const file = join(this.#root, "delegation.json");
    if (!existsSync(file)) writeAtomically(file, { secret: randomBytes(32).toString("base64") });
    // Written by the line above only.
    return (JSON.parse(readFileSync(file, "utf8")) as { secret: string }).secret;
  }
}

/** Returns the role of a principal. */
export function roleOf(account: StorageAccount, objectId: string): DataRole {
  return account.roles?.[objectId] ?? "owner";
}

/** Makes an ETag that no blob had before. */
export function newEtag(): string {
  return `"0x8DE${randomBytes(6).toString("hex").toUpperCase()}"`;
}
