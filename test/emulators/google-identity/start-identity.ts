import { Faults } from "../faults.ts";
import { listen } from "../http-listener.ts";
import { RequestLog } from "../request-log.ts";
import { serveWhole } from "../whole-request.ts";
import type { GoogleDirectory, ServiceAccountSeed, WorkloadProvider } from "./directory.ts";
import type { MachineSeed } from "./metadata-server.ts";
import { identityService } from "./serve-identity.ts";
import type { IdentityService } from "./serve-identity.ts";
import { GoogleTokens } from "./tokens.ts";

/** How to start the stand-in of Google's identity endpoints. */
export interface GoogleIdentityOptions {
  readonly serviceAccounts?: readonly ServiceAccountSeed[];
  readonly providers?: readonly WorkloadProvider[];
  /** What the metadata server tells. Default: there is none. */
  readonly machine?: MachineSeed;
  /** Default: new ones. */
  readonly tokens?: GoogleTokens;
  /** How long an issued token is good. Default: an hour. */
  readonly tokenLifetimeMs?: number;
  /** Default: a free one. */
  readonly port?: number;
  readonly faults?: Faults;
  readonly log?: RequestLog;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** A running stand-in of the OAuth token endpoint, the security token service, IAM credentials and the metadata server. */
export interface GoogleIdentityStandIn {
  readonly url: string;
  /** What `token_uri` of a key file names. */
  readonly tokenUri: string;
  /** What `token_url` of credentials of type `external_account` names. */
  readonly tokenUrl: string;
  /** Where the subject token of a pod is had, for credentials of which the `credential_source` is a URL; `?format=json` puts it into `id_token`. */
  readonly subjectTokenUrl: string;
  /** The environment of a process on a machine of Google's: GCE_METADATA_HOST. */
  readonly metadataEnvironment: Readonly<Record<string, string>>;
  readonly directory: GoogleDirectory;
  readonly tokens: GoogleTokens;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Makes a key for a service account, which is created where it does not exist, and returns its key file in JSON. */
  serviceAccountKey(email: string): string;
  /** Returns credentials of type `external_account` in JSON, without and with a service account to impersonate. */
  externalAccount(provider: string, source: Readonly<Record<string, unknown>>, impersonate?: string): string;
  /** What `service_account_impersonation_url` names. */
  impersonationUrl(email: string): string;
  /** Where signBlob of IAM is for a service account. */
  signBlobUrl(email: string): string;
  setMachine(machine: MachineSeed | undefined): void;
  setSubjectToken(token: string): void;
  close(): Promise<void>;
}

/** Starts a stand-in of Google's identity endpoints on loopback, in plain HTTP. */
export async function startGoogleIdentity(options: GoogleIdentityOptions = {}): Promise<GoogleIdentityStandIn> {
  const now = options.now ?? ((): Date => new Date());
  const tokens = options.tokens ?? new GoogleTokens({ now });
  const { directory } = tokens;
  for (const seed of options.serviceAccounts ?? []) directory.addServiceAccount(seed);
  for (const provider of options.providers ?? []) directory.addProvider(provider);
  const { faults = new Faults(), log = new RequestLog(), machine, tokenLifetimeMs = 3_600_000 } = options;
  const service: IdentityService = { tokens, now, tokenLifetimeMs, machine, subjectToken: "" };
  const api = { faults, log, ...identityService(service) };
  const listener = await listen(
    (request, response, askForBody) => {
      askForBody();
      void serveWhole(api, request, response);
    },
    { port: options.port },
  );
  const { url } = listener;
  const accountUrl = (email: string, verb: string): string =>
    `${url}/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:${verb}`;
  const tokenUri = `${url}/token`;
  const tokenUrl = `${url}/v1/token`;
  return {
    url,
    tokenUri,
    tokenUrl,
    subjectTokenUrl: `${url}/subject-token`,
    metadataEnvironment: { GCE_METADATA_HOST: `127.0.0.1:${listener.port}` },
    directory,
    tokens,
    faults,
    log,
    serviceAccountKey: (email) => JSON.stringify(directory.createKey(email, tokenUri)),
    externalAccount: (audience, source, email) =>
      JSON.stringify({
        type: "external_account",
        audience,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: tokenUrl,
        credential_source: source,
        ...(email === undefined ? {} : { service_account_impersonation_url: accountUrl(email, "generateAccessToken") }),
      }),
    impersonationUrl: (email) => accountUrl(email, "generateAccessToken"),
    signBlobUrl: (email) => accountUrl(email, "signBlob"),
    setMachine: (changed) => {
      service.machine = changed;
    },
    setSubjectToken: (token) => {
      service.subjectToken = token;
    },
    close: () => listener.close(),
  };
}
