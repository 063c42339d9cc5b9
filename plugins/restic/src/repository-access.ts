import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { passwordKeys } from "./config.ts";
import type { RepositoryConfig } from "./config.ts";
import { readCredentialsFile, variablesOf, withoutRegion } from "./credentials-file.ts";
import type { CredentialsFile } from "./credentials-file.ts";
import { findPassword } from "./password.ts";
import type { Password } from "./password.ts";
import { privateFolder } from "./private-folder.ts";

/** With what every restic of a repository is started. */
export interface RepositoryAccess {
  readonly environment: Readonly<Record<string, string>>;
  readonly password: Password;
  readonly cacheFolder: string;
}

/** What a program needs to run at all, to find its way through the network, and to be bounded. */
const common =
  /^(?:PATH|HOME|USER|TMPDIR|TZ|SSL_CERT_FILE|SSL_CERT_DIR|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy|GOMAXPROCS|GOMEMLIMIT|GOGC)$/;

/** Where Go looks for certificates where SSL_CERT_DIR is unset. */
const systemCertificates = "/etc/ssl/certs:/etc/pki/tls/certs";

/** Reads what a location says of its repository. Nothing of it reaches this process's own environment. */
export async function openAccess(
  config: RepositoryConfig,
  context: Pick<OpenContext, "env" | "signal">,
): Promise<RepositoryAccess> {
  const { backend } = config.repository;
  const file = await credentialsOf(config, context.signal);
  const own = file?.variables ?? {};
  // Either the file's identity or the environment's, never one mixed of both.
  const identity = Object.keys(own).length > 0 ? own : variablesOf(backend, context.env);
  const environment: Record<string, string> = { ...identity, ...regionOf(context.env, own), RESTIC_PROGRESS_FPS: "1" };
  for (const [name, value] of Object.entries(context.env))
    if (value !== undefined && common.test(name)) environment[name] = value;
  if (config.caCert !== undefined) {
    const folder = await certificateFolder(config.caCert, context.env);
    environment["SSL_CERT_DIR"] = `${environment["SSL_CERT_DIR"] || systemCertificates}:${folder}`;
  }
  const isKeyed = passwordKeys.some((key) => config[key] !== undefined);
  const unkeyed = file?.password ?? (isKeyed ? undefined : config.defaultPassword);
  const cacheFolder = await cacheFolderOf(config, context.env);
  // Last: it is an open file, which nobody would close if anything failed after it.
  const password = await findPassword(config, unkeyed, context);
  return { environment: { ...environment, ...password.environment }, password, cacheFolder };
}

async function credentialsOf(config: RepositoryConfig, signal: AbortSignal): Promise<CredentialsFile | undefined> {
  const { credentialsFile, borrowsCredentials, repository } = config;
  if (credentialsFile === undefined) return undefined;
  const file = await readCredentialsFile(credentialsFile, repository.backend, signal);
  return borrowsCredentials === true ? { variables: withoutRegion(file.variables), password: undefined } : file;
}

function regionOf(env: OpenContext["env"], own: Readonly<Record<string, string>>): Record<string, string> {
  const region = env["AWS_DEFAULT_REGION"] ?? env["AWS_REGION"];
  const isWanted = "AWS_SHARED_CREDENTIALS_FILE" in own || "AWS_ACCESS_KEY_ID" in own;
  return !isWanted || region === undefined || "AWS_DEFAULT_REGION" in own ? {} : { AWS_DEFAULT_REGION: region };
}

/** A folder with these certificates, besides the system's: restic's own --cacert would replace those. */
async function certificateFolder(pem: string, env: OpenContext["env"]): Promise<string> {
  const hash = createHash("sha256").update(pem).digest("hex").slice(0, 32);
  const folder = join(await privateFolder(env), "trust", hash);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "ca.pem"), pem, { mode: 0o600 });
  return folder;
}

async function cacheFolderOf(config: RepositoryConfig, env: OpenContext["env"]): Promise<string> {
  const base = config.cacheFolder ?? join(await privateFolder(env), "cache");
  const folder = join(base, createHash("sha256").update(config.repository.text).digest("hex").slice(0, 32));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new PluginError(`the cache folder "${folder}" cannot be made; check the key cacheFolder`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  return folder;
}
