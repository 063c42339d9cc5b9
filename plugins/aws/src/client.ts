import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { HttpHandler } from "@smithy/core/protocols";
import type { AwsCredentialIdentityProvider } from "@smithy/types";
import { openCredentials } from "./credentials.ts";
import { readSharedConfig } from "./shared-config.ts";
import type { SharedConfig } from "./shared-config.ts";
import { createTransport } from "./transport.ts";

/** The keys that decide how a service is reached, of either kind of location. */
export interface ConnectionConfig {
  readonly region: string | undefined;
  readonly endpoint: URL | undefined;
  readonly credentialsFile: string | undefined;
  readonly profile: string | undefined;
  readonly caCert: string | undefined;
  readonly insecureSkipVerify: boolean;
}

/** What an SDK client of this plugin is built from; the fields are named as the SDK's constructors name them. */
export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: AwsCredentialIdentityProvider;
  readonly requestHandler: HttpHandler;
  readonly maxAttempts: number;
  readonly retryMode: string;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
  readonly customUserAgent: string;
}

/** An opened location's way to its services. */
export interface Connection {
  readonly settings: ClientSettings;
  /** Whether the region was configured rather than guessed. */
  readonly isRegionKnown: boolean;
}

const defaultRegion = "us-east-1";
// One more than the server's own patience needs: a throttled store is asked for about half a minute.
const defaultMaxAttempts = 6;

/**
 * Resolves a location's identity, endpoint, region and network from its keys, its profile and the environment. Only
 * credentials of a file are resolved at once; nothing else makes a request.
 */
export async function openConnection(
  service: "s3" | "ec2",
  config: ConnectionConfig,
  context: OpenContext,
): Promise<Connection> {
  const { env, signal } = context;
  const source = { credentialsFile: config.credentialsFile, profile: config.profile, env, signal };
  const shared = await readSharedConfig(source);
  const setting = settingReader(env, shared);
  const region = config.region ?? setting(["AWS_REGION", "AWS_DEFAULT_REGION"], "region") ?? defaultRegion;
  const isIgnored = isTrue(setting(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"], "ignore_configured_endpoint_urls"));
  const endpoint = config.endpoint?.href ?? (isIgnored ? undefined : configuredEndpoint(service, env, shared));
  const transport = await createTransport({
    env,
    caCert: config.caCert,
    caBundle: setting(["AWS_CA_BUNDLE"], "ca_bundle"),
    insecureSkipVerify: config.insecureSkipVerify,
  });
  const variants = {
    useFipsEndpoint: isTrue(setting(["AWS_USE_FIPS_ENDPOINT"], "use_fips_endpoint")),
    useDualstackEndpoint: isTrue(setting(["AWS_USE_DUALSTACK_ENDPOINT"], "use_dualstack_endpoint")),
  };
  const stsEndpoint = isIgnored ? undefined : configuredStsEndpoint(env, shared);
  const sts = { region, ...variants, ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }) };
  return {
    isRegionKnown: config.region !== undefined,
    settings: {
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      credentials: await openCredentials({ source, shared, transport, sts }),
      requestHandler: transport,
      maxAttempts: positiveInteger(setting(["AWS_MAX_ATTEMPTS"], "max_attempts")) ?? defaultMaxAttempts,
      retryMode: setting(["AWS_RETRY_MODE"], "retry_mode") ?? "standard",
      ...variants,
      customUserAgent: "flotilla-plugin-aws",
    },
  };
}

type SettingReader = (variables: readonly string[], profileKey: string) => string | undefined;

function settingReader(env: OpenContext["env"], shared: SharedConfig): SettingReader {
  return (variables, profileKey) => {
    const fromEnvironment = variables.map((name) => env[name]).find((value) => value !== undefined && value !== "");
    return fromEnvironment ?? shared.profile[profileKey];
  };
}

function configuredEndpoint(service: "s3" | "ec2", env: OpenContext["env"], shared: SharedConfig): string | undefined {
  const endpoint =
    env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ||
    env["AWS_ENDPOINT_URL"] ||
    shared.serviceEndpoint(service) ||
    shared.profile["endpoint_url"];
  if (!endpoint) return undefined;
  const isUrl = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
  if (isUrl) return endpoint;
  throw new PluginError(
    `the endpoint of ${service.toUpperCase()} is no http or https URL; correct AWS_ENDPOINT_URL in the environment, or endpoint_url in the profile "${shared.profileName}"`,
    { kind: "invalid-config" },
  );
}

/** As in Go's SDK, the profile's endpoint_url is for services and not for credentials: it names a store, above all. */
function configuredStsEndpoint(env: OpenContext["env"], shared: SharedConfig): string | undefined {
  return env["AWS_ENDPOINT_URL_STS"] || env["AWS_ENDPOINT_URL"] || shared.serviceEndpoint("sts");
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === "true";
}

function positiveInteger(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}
