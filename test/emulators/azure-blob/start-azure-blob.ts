import type { TokenAuthority } from "../azure-identity/tokens.ts";
import { Faults } from "../faults.ts";
import { listen } from "../http-listener.ts";
import type { Listener, RequestHandler, TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { maxPage } from "./list-page.ts";
import { Outages } from "./outages.ts";
import type { Outage } from "./outages.ts";
import { newestVersion, serve } from "./serve.ts";
import type { BlobService } from "./serve.ts";
import { blobFile, BlobState, newEtag } from "./state.ts";
import type { StorageAccount } from "./state.ts";

/** A container to create at the start, where it does not exist. */
interface ContainerSeed {
  readonly name: string;
  /** Whether its versions may be protected by immutability policies and legal holds. Default: false. */
  readonly isImmutable?: boolean;
}

/** An account with the containers that it starts with. */
export interface StorageAccountSeed extends StorageAccount {
  /** Default: none. */
  readonly containers?: readonly (string | ContainerSeed)[];
}

/** How to start the stand-in of Azure Blob Storage. */
export interface AzureBlobOptions {
  /** The folder of all state; an existing one is continued. */
  readonly stateDir: string;
  readonly accounts: readonly StorageAccountSeed[];
  /** Default: a free one. */
  readonly port?: number;
  /** Bearer tokens and customer-provided keys are refused without it, as on Azure. */
  readonly tls?: TlsFiles;
  /** Whether plain HTTP is served, too, on a port of its own, as by an account that demands no secure transfer. */
  readonly alsoPlain?: boolean;
  /** Whose access tokens are good. Default: nobody's. */
  readonly tokens?: TokenAuthority;
  readonly faults?: Faults;
  /** How long an asynchronous copy is pending. Default: 0, which is over before the answer. */
  readonly copyMs?: number;
  /** How long an archived blob takes to come back. Default: 0. */
  readonly rehydrateMs?: number;
  /** How many entries a page of a list has at most: the service may give fewer than asked for. Default: 5000. */
  readonly pageSize?: number;
  /** The newest version of the API that is known: national clouds lack the newest ones. Default: that of the reference. */
  readonly newestVersion?: string;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of Azure Blob Storage. */
export interface AzureBlobStandIn extends Listener {
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Returns the URL of an account, to which clients add container and blob. */
  accountUrl(account: string): string;
  /** The same over plain HTTP, where that is served. */
  plainAccountUrl(account: string): string;
  /** Makes all accounts of a region unusable, also as sources of copies. */
  loseRegion(region: string, outage?: Outage): void;
  /** Ends that. */
  restoreRegion(region: string): void;
  /** Returns the file that holds a committed blob's bytes. */
  blobFile(account: string, container: string, name: string): string;
}

/** Starts a stand-in of Azure Blob Storage on loopback; the account is the first part of a path. */
export async function startAzureBlob(options: AzureBlobOptions): Promise<AzureBlobStandIn> {
  const { accounts, tls, tokens, stateDir } = options;
  const state = new BlobState(stateDir, accounts, {
    copyMs: options.copyMs ?? 0,
    rehydrateMs: options.rehydrateMs ?? 0,
    pageSize: options.pageSize ?? maxPage,
  });
  for (const account of accounts) for (const seed of account.containers ?? []) seedContainer(state, account, seed);
  const faults = options.faults ?? new Faults();
  const service: BlobService = {
    state,
    tokens,
    faults,
    outages: new Outages(faults),
    log: new RequestLog(),
    now: options.now ?? (() => new Date()),
    newestVersion: options.newestVersion ?? newestVersion,
  };
  const handler: RequestHandler = (request, response, askForBody) => void serve(service, request, response, askForBody);
  const listener = await listen(handler, { port: options.port, tls });
  const plain = tls !== undefined && options.alsoPlain === true ? await listen(handler, {}) : undefined;
  return {
    ...listener,
    close: async () => void (await Promise.all([listener.close(), plain?.close()])),
    faults: service.faults,
    log: service.log,
    accountUrl: (account) => `${listener.url}/${account}`,
    plainAccountUrl: (account) => `${(plain ?? listener).url}/${account}`,
    loseRegion: (region, outage = "refuses") => service.outages.lose(region, outage),
    restoreRegion: (region) => service.outages.restore(region),
    blobFile: (account, container, name) => blobFile(stateDir, account, container, name),
  };
}

function seedContainer(state: BlobState, account: StorageAccount, seed: string | ContainerSeed): void {
  const { name, isImmutable = false } = typeof seed === "string" ? { name: seed } : seed;
  if (state.findContainer(account, name) !== undefined) return;
  const lastModified = new Date().toISOString();
  state.createContainer(account, { name, etag: newEtag(), lastModified, metadata: {}, isImmutable });
}
