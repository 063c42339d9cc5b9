import { randomBytes } from "node:crypto";

import { Faults } from "../faults.ts";
import { listen } from "../http-listener.ts";
import type { TlsFiles } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { createThrowawayCertificate } from "../throwaway-certificate.ts";
import { serveWhole } from "../whole-request.ts";
import type { WholeService } from "../whole-request.ts";
import { Directory } from "./directory.ts";
import type { Application, ManagedIdentity } from "./directory.ts";
import { entraService } from "./serve-entra.ts";
import { machineService } from "./serve-machine.ts";
import { TokenAuthority } from "./tokens.ts";

/** How to start the stand-in of Entra and of the managed identity endpoints. */
export interface AzureIdentityOptions {
  readonly applications?: readonly Application[];
  readonly managedIdentities?: readonly ManagedIdentity[];
  /** Default: a new one. */
  readonly tokens?: TokenAuthority;
  /** How long an issued token is good. Default: an hour. */
  readonly tokenLifetimeMs?: number;
  /** Default: a certificate made for this start. */
  readonly tls?: TlsFiles;
  readonly faults?: Faults;
  readonly log?: RequestLog;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of Entra and of the managed identity endpoints. */
export interface AzureIdentityStandIn {
  /** The authority: what `activeDirectoryAuthorityURI` and AZURE_AUTHORITY_HOST name. HTTPS. */
  readonly authorityUrl: string;
  /** The authority that signed the certificate. */
  readonly caPem: string;
  /** The environment of a process on a virtual machine, whose identity is asked for at IMDS. Plain HTTP, as there. */
  readonly imdsEnvironment: Readonly<Record<string, string>>;
  /** The environment of a process in App Service. Plain HTTP, as there. */
  readonly appServiceEnvironment: Readonly<Record<string, string>>;
  readonly directory: Directory;
  readonly tokens: TokenAuthority;
  readonly faults: Faults;
  readonly log: RequestLog;
  close(): Promise<void>;
}

/** Starts a stand-in of Entra, and beside it one of the managed identity endpoints. */
export async function startAzureIdentity(options: AzureIdentityOptions = {}): Promise<AzureIdentityStandIn> {
  const now = options.now ?? ((): Date => new Date());
  const directory = new Directory();
  for (const application of options.applications ?? []) directory.addApplication(application);
  for (const identity of options.managedIdentities ?? []) directory.addManagedIdentity(identity);
  const tls = options.tls ?? createThrowawayCertificate("Entra stand-in");
  const tokens = options.tokens ?? new TokenAuthority({ now });
  const service = { directory, tokens, now, tokenLifetimeMs: options.tokenLifetimeMs ?? 3_600_000 };
  const { faults = new Faults(), log = new RequestLog() } = options;
  const header = randomBytes(16).toString("hex");
  const entra = await listenWhole({ faults, log, ...entraService(service) }, tls);
  const machine = await listenWhole({ faults, log, ...machineService(service, header) });
  return {
    authorityUrl: entra.url,
    caPem: String(tls.cert),
    imdsEnvironment: { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url },
    appServiceEnvironment: { IDENTITY_ENDPOINT: `${machine.url}/MSI/token`, IDENTITY_HEADER: header },
    directory,
    tokens,
    faults,
    log,
    close: async () => void (await Promise.all([entra.close(), machine.close()])),
  };
}

async function listenWhole(service: WholeService, tls?: TlsFiles): Promise<Awaited<ReturnType<typeof listen>>> {
  return await listen(
    (request, response, askForBody) => {
      askForBody();
      void serveWhole(service, request, response);
    },
    { tls },
  );
}
