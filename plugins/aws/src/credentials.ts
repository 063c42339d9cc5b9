import { PluginError } from "@flotilla/sdk/plugin";
import { memoize } from "@smithy/core/config";
import type { HttpHandler } from "@smithy/core/protocols";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { translateCredentialsError, translateWebIdentityError } from "./errors.ts";
import { describeSource, namesCredentials, readSharedConfig } from "./shared-config.ts";
import type { SharedConfig, SharedConfigSource } from "./shared-config.ts";

/** How STS is reached; the fields are named as the SDK's constructor names them. */
interface StsSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly useFipsEndpoint: boolean;
  readonly useDualstackEndpoint: boolean;
}

/** What the providers need beside the source. */
export interface CredentialsOptions {
  readonly source: SharedConfigSource;
  readonly shared: SharedConfig;
  /** For STS, with the location's trust and proxy. */
  readonly transport: HttpHandler;
  readonly sts: StsSettings;
}

// The SDK refreshes five minutes before the end; a little earlier here, so that it is never handed what it would refuse.
const refreshBeforeMs = 6 * 60_000;
const betweenRefreshesMs = 15_000;
// Of the instance's metadata service and the pod identity agent: this SDK by itself asks the first once, Go's more often.
const metadataRetries = 3;

/**
 * The provider of a location's credentials. In this order: the location's own file; the location's profile; static keys
 * of the environment; $AWS_SHARED_CREDENTIALS_FILE; web identity (IRSA), unless one of these files is named; the SDK's
 * other sources. What comes from a file is resolved here, so that a bad file fails the opening.
 */
export async function openCredentials(options: CredentialsOptions): Promise<AwsCredentialIdentityProvider> {
  const { shared, source } = options;
  if (!shared.isFileRequired && source.profile === undefined) {
    const fromEnvironment = environmentKeys(source.env);
    if (fromEnvironment !== undefined) return async () => fromEnvironment;
  }
  if (shared.path === undefined) return refreshing(async () => await fromUsualSources(options));
  requireProfile(shared);
  const provider = refreshing(async () => {
    try {
      return await fromFile(options);
    } catch (error) {
      throw translateCredentialsError(error, describeSource(shared));
    }
  });
  await provider();
  return provider;
}

/** Keeps what was loaded and renews it before its end. Where that fails, it serves until the end, as in Go's SDK. */
function refreshing(load: () => Promise<AwsCredentialIdentity>): AwsCredentialIdentityProvider {
  let last: AwsCredentialIdentity | undefined;
  let quietUntilMs = 0;
  const loadOrKeep = async (): Promise<AwsCredentialIdentity> => {
    try {
      last = await load();
    } catch (error) {
      if (last === undefined || remainingMs(last) <= 0) throw error;
      // Not at every request: the source may take its time over failing.
      quietUntilMs = Date.now() + Math.min(betweenRefreshesMs, remainingMs(last));
    }
    return last;
  };
  return memoize(
    loadOrKeep,
    (identity) => remainingMs(identity) < refreshBeforeMs && Date.now() >= quietUntilMs,
    (identity) => identity.expiration !== undefined,
  );
}

function remainingMs({ expiration }: AwsCredentialIdentity): number {
  return (expiration?.getTime() ?? Infinity) - Date.now();
}

function environmentKeys(env: SharedConfigSource["env"]): AwsCredentialIdentity | undefined {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"] || env["AWS_ACCESS_KEY"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"] || env["AWS_SECRET_KEY"];
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...optional("sessionToken", env["AWS_SESSION_TOKEN"]) };
}

function requireProfile(shared: SharedConfig): void {
  if (shared.hasProfile || (!shared.isFileRequired && !shared.isProfileNamed)) return;
  throw new PluginError(
    `${describeSource(shared)} is missing; write a section [${shared.profileName}] into the file or set the location's key profile`,
    { kind: "invalid-config" },
  );
}

async function fromUsualSources(options: CredentialsOptions): Promise<AwsCredentialIdentity> {
  const { profile, env } = options.source;
  // The SDK would look into files before web identity; Go's, and so the official plugin, look the other way round.
  const isWebIdentity = profile === undefined && env["AWS_WEB_IDENTITY_TOKEN_FILE"] && env["AWS_ROLE_ARN"];
  if (isWebIdentity) {
    const { fromTokenFile } = await import("@aws-sdk/credential-provider-web-identity");
    try {
      return await fromTokenFile(clientOptions(options))();
    } catch (error) {
      throw translateWebIdentityError(error, env["AWS_ROLE_ARN"] ?? "");
    }
  }
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  return await defaultProvider({ ...clientOptions(options), ...optional("profile", profile) })();
}

async function fromFile(options: CredentialsOptions): Promise<AwsCredentialIdentity> {
  // Read anew at every refresh: the server replaces the file when the Secret changes.
  const shared = await readSharedConfig({ ...options.source, signal: undefined });
  const files = { profile: shared.profileName, ...sharedFiles(shared.path) };
  if (namesCredentials(shared.profile)) return staticKeys(shared) ?? (await fromProfile(options, files));
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  // A file switches web identity off, as in the official plugin: these empty values hide the environment's.
  return await defaultProvider({ ...clientOptions(options), ...files, webIdentityTokenFile: "", roleArn: "" })();
}

async function fromProfile(options: CredentialsOptions, files: object): Promise<AwsCredentialIdentity> {
  const { fromIni } = await import("@aws-sdk/credential-provider-ini");
  return await fromIni({ ...clientOptions(options), ...files })();
}

function staticKeys({ profile }: SharedConfig): AwsCredentialIdentity | undefined {
  const accessKeyId = profile["aws_access_key_id"];
  const secretAccessKey = profile["aws_secret_access_key"];
  if (profile["role_arn"] !== undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...optional("sessionToken", profile["aws_session_token"]) };
}

function clientOptions({ transport, sts }: CredentialsOptions): {
  readonly clientConfig: object;
  readonly parentClientConfig: Readonly<Record<string, unknown>> & { readonly region: string };
  readonly logger: typeof quietLogger;
  readonly maxRetries: number;
} {
  // Some providers look at the one, some at the other.
  const client = { ...sts, requestHandler: transport };
  return {
    clientConfig: client,
    parentClientConfig: { ...client, logger: quietLogger },
    logger: quietLogger,
    maxRetries: metadataRetries,
  };
}

// Without a logger the SDK prints its advice to the console, which is the server's log channel.
const quietLogger = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function sharedFiles(path: string | undefined): { readonly filepath?: string; readonly configFilepath?: string } {
  return path === undefined ? {} : { filepath: path, configFilepath: path };
}

function optional<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
  // A computed key widens to an index signature; it is the one key that was asked for.
  return (value ? { [name]: value } : {}) as { readonly [P in K]?: string };
}
