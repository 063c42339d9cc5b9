import { isDeepStrictEqual } from "node:util";

import { PluginError } from "@flotilla/sdk/plugin";

import { variablesOf, withoutRegion } from "./credentials-file.ts";
import type { RepositoryAccess } from "./repository-access.ts";
import type { RepositoryLocation } from "./repository-location.ts";

/** A repository, and with what it is reached. */
export interface ReachedRepository {
  readonly location: RepositoryLocation;
  readonly access: RepositoryAccess;
}

/** What a restic that works on one repository is told of the one that it reads beside. */
export interface CopySource {
  /** Of both repositories, the password of the one it works on not among them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Inherited as descriptor 4. */
  readonly descriptor: number | undefined;
}

const region = "AWS_DEFAULT_REGION";

/** Tells a restic of the repository that it reads from. Its address may hold a password, which a command line would show. */
export function copySource(from: ReachedRepository, to: ReachedRepository): CopySource {
  const { environment, password } = from.access;
  const passwordNames = new Set(Object.keys(password.environment));
  const own = Object.entries(environment).filter(([name]) => !passwordNames.has(name));
  const merged: Record<string, string> = { ...Object.fromEntries(own), ...to.access.environment };
  // One region would count for both. Without, restic takes each from its address, or asks the bucket where it is.
  if (environment[region] !== to.access.environment[region]) delete merged[region];
  for (const [name, value] of Object.entries(password.environment))
    merged[name.replace(/^RESTIC_/, "RESTIC_FROM_")] = value;
  const args = password.args.map((arg) => (arg === "--password-file" ? "--from-password-file" : arg));
  return {
    environment: { ...merged, RESTIC_FROM_REPOSITORY: from.location.text },
    args: password.descriptor === undefined ? args : ["--from-password-file", "/dev/fd/4"],
    descriptor: password.descriptor,
  };
}

/** Throws where one restic cannot reach both: it reads one set of variables for each kind of store. */
export function requireOneIdentity(from: ReachedRepository, to: ReachedRepository): void {
  const { backend } = to.location;
  if (from.location.backend !== backend) return;
  const [one, other] = [identityOf(from), identityOf(to)];
  if (isDeepStrictEqual(one, other)) return;
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name]);
  throw new PluginError(
    `the repositories ${from.location.shown} and ${to.location.shown} have different credentials (${names.join(", ")}), and restic, which copies from one to the other, takes one set of them for both: give one identity access to both, or reach one of them in another way (rclone:, or rest: with user and password in its address)`,
    { kind: "invalid-config" },
  );
}

function identityOf({ location, access }: ReachedRepository): Readonly<Record<string, string>> {
  return withoutRegion(variablesOf(location.backend, access.environment));
}
