import { MadeOnce, PluginError } from "@flotilla/sdk/plugin";
import type { Call, OpenContext } from "@flotilla/sdk/plugin";

import { passwordKeys } from "./config.ts";
import type { RepositoryConfig } from "./config.ts";
import { readCredentialsFile, withoutRegion } from "./credentials-file.ts";
import type { RepositoryIdentity } from "./repository-identity.ts";
import { Repository } from "./repository.ts";
import { isSamePlace } from "./repository-location.ts";
import type { RepositoryLocation } from "./repository-location.ts";
import type { VolumeSnapshotterConfig } from "./volume-config.ts";
import { copyToPasswordKeys } from "./volume-copy-keys.ts";

/** The repository that snapshots are copied to. */
export class SecondRepository {
  readonly repository: Repository;
  readonly #own: Repository;
  readonly #identities = new MadeOnce(async (call: Call) => await this.#ask(call));

  constructor(repository: Repository, own: Repository) {
    this.repository = repository;
    this.#own = own;
  }

  /** Where it is, as copies are told of: without secrets. */
  get region(): string {
    return this.repository.location.shown;
  }

  /**
   * Both identities, asked for once. Throws where it is the location's own repository by another address: every snapshot
   * would seem to be copied, and deleting the copy would delete the snapshot.
   */
  async identities(call: Call): Promise<{ readonly own: RepositoryIdentity; readonly second: RepositoryIdentity }> {
    return await this.#identities.get(call);
  }

  async #ask(call: Call): Promise<{ readonly own: RepositoryIdentity; readonly second: RepositoryIdentity }> {
    // In this order: the second one is made to cut files as the first one does.
    const own = await this.#own.identity("look at the location's own repository", call);
    const second = await this.repository.identity("look at the second repository (key copyToRepository)", call);
    if (own.id !== second.id) return { own, second };
    throw sameRepository(this.region, `it has the same id as ${this.#own.location.shown}`);
  }
}

/** Opens what `copyToRepository` names, which is asked for nothing yet; undefined where it names nothing. */
export async function openSecondRepository(
  config: VolumeSnapshotterConfig,
  own: Repository,
  context: OpenContext,
): Promise<SecondRepository | undefined> {
  const { copyToRepository } = config;
  if (copyToRepository === undefined) {
    refuseWithoutTarget(config);
    return undefined;
  }
  if (config.writtenBy === "velero")
    throw new PluginError(
      "invalid configuration: copyToRepository copies what this plugin wrote; a repository with writtenBy: velero is only read",
      { kind: "invalid-config" },
    );
  if (isSamePlace(copyToRepository, config.repository))
    throw sameRepository(copyToRepository.shown, "it is the key repository's, too");
  // The server's region is that of the location's own repository.
  const elsewhere = { ...context, env: withoutRegion(context.env) };
  const second = await secondConfig(config, copyToRepository, context);
  const repository = await Repository.open(second, elsewhere, { cutsLike: own });
  try {
    repository.requireReachableFrom(own);
  } catch (error) {
    await repository.close();
    throw error;
  }
  return new SecondRepository(repository, own);
}

function refuseWithoutTarget(config: VolumeSnapshotterConfig): void {
  const keys = [...copyToPasswordKeys, "copyToCredentialsFile"] as const;
  const given: readonly string[] = keys.filter((key) => config[key] !== undefined);
  const alone = config.wait === "completed" ? [...given, "wait"] : given;
  if (alone.length === 0) return;
  throw new PluginError(
    `invalid configuration: ${alone.join(", ")} without copyToRepository, of which it speaks; name the second repository, or remove it`,
    { kind: "invalid-config" },
  );
}

/** The location as it would be, were the second repository its own. */
async function secondConfig(
  config: VolumeSnapshotterConfig,
  repository: RepositoryLocation,
  { signal }: OpenContext,
): Promise<RepositoryConfig> {
  const { copyToCredentialsFile, credentialsFile } = config;
  const base = { ...config, repository, credentialsFile: copyToCredentialsFile ?? credentialsFile };
  const borrowsCredentials = copyToCredentialsFile === undefined;
  const none = { passwordFile: undefined, passwordSecret: undefined, passwordCommand: undefined };
  if (copyToPasswordKeys.some((key) => config[key] !== undefined))
    return {
      ...base,
      borrowsCredentials,
      passwordFile: config.copyToPasswordFile,
      passwordSecret: config.copyToPasswordSecret,
      passwordCommand: config.copyToPasswordCommand,
    };
  const lineOf = async (path: string | undefined, { backend }: RepositoryLocation): Promise<string | undefined> =>
    path === undefined ? undefined : (await readCredentialsFile(path, backend, signal)).password;
  if ((await lineOf(copyToCredentialsFile, repository)) !== undefined) return { ...base, borrowsCredentials, ...none };
  const isKeyed = passwordKeys.some((key) => config[key] !== undefined);
  const line = isKeyed ? undefined : await lineOf(credentialsFile, config.repository);
  return { ...base, borrowsCredentials, ...(line === undefined ? {} : { defaultPassword: line }) };
}

function sameRepository(shown: string, reason: string): PluginError {
  return new PluginError(
    `invalid configuration: copyToRepository ${shown} is the location's own repository (${reason}); a copy in the same place is none: name another repository, made by restic init or by initialize: "true"`,
    { kind: "invalid-config" },
  );
}
