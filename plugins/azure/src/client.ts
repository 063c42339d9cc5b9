import type { HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { cloudNamed, isKnownAuthority, publicCloud } from "./clouds.ts";
import type { AzureCloud } from "./clouds.ts";
import { readCredentialsFile } from "./credentials-file.ts";
import type { CredentialsFile } from "./credentials-file.ts";
import { createTokenCredential, findIdentity } from "./credentials.ts";
import { ThrottledClient } from "./throttled-client.ts";
import { createTransport } from "./transport.ts";

/** The keys that decide how Azure is reached, of either kind of location. */
export interface ConnectionConfig {
  readonly credentialsFile: string | undefined;
  readonly resourceGroup: string | undefined;
  readonly subscriptionId: string | undefined;
  readonly activeDirectoryAuthorityURI: URL | undefined;
  /** Of Azure Resource Manager. */
  readonly endpoint: URL | undefined;
  readonly caCert: string | undefined;
  readonly insecureSkipVerify: boolean;
  /** A line of the credentials file that the location names. */
  readonly expectedLine?: string | undefined;
}

/** What a client of Azure Resource Manager takes beside credential and subscription. */
export interface ArmClientOptions {
  readonly endpoint: string;
  readonly credentials: { readonly scopes: string[] };
  readonly httpClient: HttpClient;
  readonly retryOptions: { readonly maxRetries: number };
  readonly userAgentOptions: { readonly userAgentPrefix: string };
}

/** An opened location's way to Azure. */
export interface Connection {
  readonly cloud: AzureCloud;
  /** The AZURE_… lines. */
  readonly file: CredentialsFile;
  /** Of the location, else of the lines, else of the environment. */
  readonly resourceGroup: string | undefined;
  readonly subscriptionId: string | undefined;
  readonly httpClient: HttpClient;
  readonly armOptions: ArmClientOptions;
  /** Finds the location's identity; throws `invalid-config` where its lines contradict each other. Makes no request. */
  openTokenCredential(): Promise<TokenCredential>;
  /** Closes the connections. */
  close(): void;
}

/** What the services see in their logs. */
export const userAgentPrefix = "flotilla-plugin-azure";

// The SDK's own number is three; a throttled subscription asks for patience.
const armMaxRetries = 5;

/** Resolves a location's cloud, identity and network from its keys, its credentials file and the environment. */
export async function openConnection(config: ConnectionConfig, context: OpenContext): Promise<Connection> {
  const { env, signal } = context;
  const { credentialsFile, expectedLine } = config;
  const file = await readCredentialsFile({ credentialsFile, expectedLine, env, signal });
  const setting = (name: string): string | undefined => file.line(name) ?? (env[name] || undefined);
  // Of the lines alone, as the official plugin has it: the environment's may be meant for another program.
  const named = cloudNamed(file.line("AZURE_CLOUD_NAME"));
  const cloud = named ?? publicCloud;
  const transport = createTransport({
    env,
    caCert: config.caCert,
    insecureSkipVerify: config.insecureSkipVerify,
  });
  const { httpClient } = transport;
  return {
    cloud,
    file,
    resourceGroup: config.resourceGroup ?? setting("AZURE_RESOURCE_GROUP"),
    subscriptionId: config.subscriptionId ?? setting("AZURE_SUBSCRIPTION_ID"),
    httpClient,
    armOptions: {
      endpoint: withoutSlash(config.endpoint?.href ?? cloud.armEndpoint),
      // The audience is the cloud's, whichever endpoint stands before it.
      credentials: { scopes: [`${cloud.armEndpoint}/.default`] },
      httpClient: new ThrottledClient(httpClient),
      retryOptions: { maxRetries: armMaxRetries },
      userAgentOptions: { userAgentPrefix },
    },
    openTokenCredential: async () => {
      // Looked at only now: a location with an access key asks no authority.
      const authorityHost = authorityOf(config, named, env);
      const isAuthorityKnown = isKnownAuthority(authorityHost);
      return createTokenCredential(await findIdentity(file, env), { authorityHost, isAuthorityKnown, httpClient });
    },
    close: () => transport.destroy(),
  };
}

/** The value of something that Azure Resource Manager cannot be asked without. */
export function requireSetting(value: string | undefined, key: string, line: string): string {
  if (value !== undefined) return value;
  throw new PluginError(
    `${key} is missing; set the location's key ${key} or the line ${line} of its credentials file`,
    {
      kind: "invalid-config",
    },
  );
}

function authorityOf(config: ConnectionConfig, named: AzureCloud | undefined, env: OpenContext["env"]): string {
  // The webhook of workload identity sets the last one for the pod's own cloud.
  const host = config.activeDirectoryAuthorityURI?.href ?? named?.authorityHost ?? env["AZURE_AUTHORITY_HOST"];
  if (!host) return publicCloud.authorityHost;
  if (URL.canParse(host) && new URL(host).protocol === "https:") return withoutSlash(host);
  throw new PluginError("AZURE_AUTHORITY_HOST is not an https URL; correct it or set activeDirectoryAuthorityURI", {
    kind: "invalid-config",
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
