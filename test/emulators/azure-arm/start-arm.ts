import { startAzureIdentity } from "../azure-identity/start-identity.ts";
import type { AzureIdentityOptions, AzureIdentityStandIn } from "../azure-identity/start-identity.ts";
import type { TokenAuthority } from "../azure-identity/tokens.ts";
import { Faults } from "../faults.ts";
import { listen } from "../http-listener.ts";
import type { Listener, TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { createThrowawayCertificate } from "../throwaway-certificate.ts";
import { serveWhole } from "../whole-request.ts";
import type { ArmSettings } from "./call.ts";
import { controlsOf, seedingOf } from "./controls.ts";
import type { Controls, Seeding, SubscriptionSeed } from "./controls.ts";
import { Permissions } from "./permissions.ts";
import { Regions } from "./regions.ts";
import type { RegionSeed } from "./regions.ts";
import { azureDefaults } from "./seeds.ts";
import type { DiskSeed, ArmAccountSeed } from "./seeds.ts";
import { armService } from "./serve-arm.ts";
import type { ArmService } from "./serve-arm.ts";
import { ArmState } from "./state.ts";

/** How to start the stand-in of Azure Resource Manager. */
export interface AzureArmOptions {
  /** The folder of disks, snapshots and operations; an existing one is continued. Default: they are kept in memory. */
  readonly stateDir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a certificate made for this start. */
  readonly tls?: TlsFiles;
  /** Default: one, with the resource group of `azureDefaults`. */
  readonly subscriptions?: readonly SubscriptionSeed[];
  /** Default: eastus and westus2, each with the zones 1, 2 and 3. */
  readonly regions?: readonly RegionSeed[];
  /** Default: one application with the secret of `azureDefaults`. */
  readonly identity?: Pick<AzureIdentityOptions, "applications" | "managedIdentities" | "tokenLifetimeMs">;
  readonly disks?: readonly DiskSeed[];
  readonly storageAccounts?: readonly ArmAccountSeed[];
  /** How long an operation is in progress. Default 0: done by the next request. */
  readonly pendingMs?: number;
  /** How long the background copy of an incremental snapshot takes. Default 0. */
  readonly copyMs?: number;
  /** What Retry-After says while an operation is in progress. Default 0. */
  readonly retryAfterSeconds?: number;
  /** How many disks or snapshots are in a page of a list. Default 100. */
  readonly pageSize?: number;
  /** Writes resource groups in upper case in the ids of answers, as Microsoft.Compute does at times. Default: as they are. */
  readonly upperCaseGroups?: boolean;
  /** The versions of the API that are known: national clouds lack the newest ones. Default: all that are well-formed. */
  readonly apiVersions?: readonly string[];
  readonly faults?: Faults;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of ARM with Microsoft.Compute and Microsoft.Storage, and of Entra beside it. */
export interface AzureArmStandIn extends Listener, Seeding, Controls {
  /** The authority that signed the certificates of ARM and Entra. */
  readonly caPem: string;
  readonly identity: AzureIdentityStandIn;
  /** Entra: what `activeDirectoryAuthorityURI` names. */
  readonly authorityUrl: string;
  readonly tokens: TokenAuthority;
  /** The faults of ARM, Entra and the managed identity endpoints. */
  readonly faults: Faults;
  readonly log: RequestLog;
}

const zones = ["1", "2", "3"];
const defaultRegions = [azureDefaults.location, azureDefaults.otherLocation].map((name) => ({ name, zones }));
const defaultSubscription: SubscriptionSeed = {
  subscriptionId: azureDefaults.subscriptionId,
  resourceGroups: [azureDefaults.resourceGroup],
};
const defaultApplication = {
  tenantId: azureDefaults.tenantId,
  clientId: azureDefaults.clientId,
  secrets: [azureDefaults.clientSecret],
};

/** Starts a stand-in of Azure Resource Manager, with Entra and the managed identity endpoints beside it. */
export async function startAzureArm(options: AzureArmOptions = {}): Promise<AzureArmStandIn> {
  const now = options.now ?? ((): Date => new Date());
  const { faults = new Faults() } = options;
  const log = new RequestLog();
  const tls = options.tls ?? createThrowawayCertificate("Azure stand-in");
  const identity = await startAzureIdentity({
    applications: [defaultApplication],
    ...options.identity,
    tls,
    faults,
    log,
    now,
  });
  const service: ArmService = {
    state: new ArmState(options.stateDir),
    tokens: identity.tokens,
    regions: new Regions(options.regions ?? defaultRegions),
    permissions: new Permissions(),
    settings: readSettings(options),
    failures: new Map(),
    faults,
    log,
    now,
  };
  const api = armService(service);
  const listener = await listen(
    (request, response, askForBody) => {
      askForBody();
      void serveWhole(api, request, response);
    },
    { port: options.port, tls },
  );
  const seeding = seedingOf(service);
  for (const seed of options.subscriptions ?? [defaultSubscription]) seeding.addSubscription(seed);
  // What was kept from before is in groups of its own.
  for (const { id } of [...service.state.disks.values(), ...service.state.snapshots.values()]) {
    seeding.addSubscription({ subscriptionId: id.subscriptionId, resourceGroups: [id.resourceGroup] });
  }
  for (const seed of options.disks ?? []) seeding.addDisk(seed);
  for (const seed of options.storageAccounts ?? []) seeding.addStorageAccount(seed);
  return {
    ...listener,
    ...seeding,
    ...controlsOf(service),
    caPem: String(tls.cert),
    identity,
    authorityUrl: identity.authorityUrl,
    tokens: identity.tokens,
    faults,
    log,
    close: async () => void (await Promise.all([listener.close(), identity.close()])),
  };
}

function readSettings(options: AzureArmOptions): ArmSettings {
  const {
    pendingMs = 0,
    copyMs = 0,
    retryAfterSeconds = 0,
    pageSize = 100,
    upperCaseGroups = false,
    apiVersions,
  } = options;
  return { pendingMs, copyMs, retryAfterSeconds, pageSize, upperCaseGroups, apiVersions, form: "both", quota: {} };
}
