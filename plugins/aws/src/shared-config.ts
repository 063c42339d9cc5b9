import { PluginError } from "@flotilla/sdk/plugin";
import type { Clock } from "@flotilla/sdk/plugin";
import { readSettledFile, recentlyWrittenMs } from "@flotilla/sdk/secrets";
import { externalDataInterceptor, loadSharedConfigFiles } from "@smithy/core/config";
import { canonicalText } from "./credentials-text.ts";

/** The section of one profile; keys in lower case. */
export type Profile = Readonly<Record<string, string | undefined>>;

/** Which files and which profile a location uses. */
export interface SharedConfigSource {
  /** The location's own key, `credentialsFile`. */
  readonly credentialsFile: string | undefined;
  /** The location's own key, `profile`. */
  readonly profile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the waiting for a half-written file. */
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** What the credentials and config files say about one profile. */
export interface SharedConfig {
  readonly profileName: string;
  /** Whether somebody named the profile, so that its absence is a fault. */
  readonly isProfileNamed: boolean;
  /** The file that serves as credentials and as config file; undefined where the SDK's usual files apply. */
  readonly path: string | undefined;
  /** Whether the location itself names the file; a file from the environment may belong to another cloud's plugin. */
  readonly isFileRequired: boolean;
  readonly profile: Profile;
  /** Whether the profile has a section. */
  readonly hasProfile: boolean;
  /** The endpoint of a service (`s3`, `ec2`) from the profile's services section. */
  serviceEndpoint(service: string): string | undefined;
}

const credentialKeys = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "role_arn",
  "source_profile",
  "credential_source",
  "credential_process",
  "web_identity_token_file",
  "sso_account_id",
  "sso_session",
  "sso_start_url",
  "login_session",
];

/**
 * Reads the profile of a location, from its own file, else from $AWS_SHARED_CREDENTIALS_FILE, else from the SDK's usual
 * files. The first two serve as credentials and as config file at once, as in the official plugin. An empty or
 * half-written file is read again for two seconds.
 */
export async function readSharedConfig(source: SharedConfigSource): Promise<SharedConfig> {
  const { env } = source;
  const named = source.profile ?? (env["AWS_PROFILE"] || env["AWS_DEFAULT_PROFILE"] || undefined);
  const profileName = named ?? "default";
  const path = source.credentialsFile ?? (env["AWS_SHARED_CREDENTIALS_FILE"] || undefined);
  const isFileRequired = source.credentialsFile !== undefined;
  if (path !== undefined) await settleFile(path, profileName, isFileRequired, source);
  const { section, services } = await readSections(path, profileName);
  return {
    profileName,
    isProfileNamed: named !== undefined,
    path,
    isFileRequired,
    profile: section ?? {},
    hasProfile: section !== undefined,
    serviceEndpoint: (service) => services[`${service}.endpoint_url`],
  };
}

/** Whether the profile says anything about credentials, complete or not. */
export function namesCredentials(profile: Profile): boolean {
  return credentialKeys.some((key) => profile[key] !== undefined);
}

/** Where the location's credentials come from, for messages. */
export function describeSource(shared: SharedConfig): string {
  return shared.path === undefined
    ? `profile "${shared.profileName}"`
    : `profile "${shared.profileName}" of the credentials file "${shared.path}"`;
}

async function readSections(
  path: string | undefined,
  profileName: string,
): Promise<{ readonly section: Profile | undefined; readonly services: Profile }> {
  const files = await loadSharedConfigFiles(path === undefined ? {} : { filepath: path, configFilepath: path });
  const sections: readonly Profile[] = [files.configFile, files.credentialsFile].flatMap((file) => {
    const section = file[profileName];
    return section === undefined ? [] : [section];
  });
  const section = sections.length === 0 ? undefined : Object.assign({}, ...sections);
  const services = files.configFile[`services.${section?.["services"] ?? ""}`] ?? {};
  return { section, services };
}

async function settleFile(
  path: string,
  profileName: string,
  isFileRequired: boolean,
  source: SharedConfigSource,
): Promise<void> {
  const { clock, signal } = source;
  const isUnfinished = async (text: string, ageMs: number): Promise<boolean> => {
    // The SDK reads the file through a cache of its own: it is given the very text that was looked at here.
    externalDataInterceptor.interceptFile(path, canonicalText(text));
    return await looksUnfinished(path, profileName, text, ageMs);
  };
  try {
    await readSettledFile(path, { isUnfinished, clock, signal });
  } catch (error) {
    signal?.throwIfAborted();
    // $AWS_SHARED_CREDENTIALS_FILE is set by every installation with a Secret, whether or not it holds AWS's.
    if (!isFileRequired) return;
    throw new PluginError(`the credentials file "${path}" cannot be read; check the Secret that the location names`, {
      kind: "invalid-config",
      cause: error,
    });
  }
}

async function looksUnfinished(path: string, profileName: string, text: string, ageMs: number): Promise<boolean> {
  // An installation without a Secret of AWS's may leave it empty for ever.
  if (text.trim() === "") return ageMs < recentlyWrittenMs;
  const { section } = await readSections(path, profileName);
  if (section === undefined) return ageMs < recentlyWrittenMs;
  return (section["aws_access_key_id"] === undefined) !== (section["aws_secret_access_key"] === undefined);
}
