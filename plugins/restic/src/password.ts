import { randomUUID } from "node:crypto";
import { access, constants, open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { readKubernetesSecret } from "@flotilla/sdk/secrets";
import type { RepositoryConfig } from "./config.ts";
import { privateFolder } from "./private-folder.ts";

/** How a child is told the repository's password: never by its arguments, nor by its environment. */
export interface Password {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What the child inherits as its descriptor 3; undefined where it needs none. */
  readonly descriptor: number | undefined;
  close(): Promise<void>;
}

const nothingToClose = async (): Promise<void> => {};

/** Finds the password of a location's repository. */
export async function findPassword(
  config: Pick<RepositoryConfig, "passwordFile" | "passwordSecret" | "passwordCommand">,
  fromCredentialsFile: string | undefined,
  context: Pick<OpenContext, "env" | "signal">,
): Promise<Password> {
  const { passwordFile: file, passwordSecret: secret, passwordCommand: command } = config;
  if (fromCredentialsFile !== undefined && (file ?? secret ?? command) !== undefined)
    throw new PluginError(
      "the repository's password is given twice, by a key of the location and by the line RESTIC_PASSWORD of its credentials file: keep one",
      { kind: "invalid-config" },
    );
  if (file !== undefined) return await passwordOfFile(file);
  // In the environment, since a command line can be read by every user of the machine.
  if (command !== undefined)
    return {
      args: [],
      environment: { RESTIC_PASSWORD_COMMAND: command },
      descriptor: undefined,
      close: nothingToClose,
    };
  if (secret !== undefined) {
    const bytes = await readKubernetesSecret({ ...secret, env: context.env, signal: context.signal });
    return await inheritedPassword(bytes, context.env);
  }
  if (fromCredentialsFile !== undefined) return await inheritedPassword(Buffer.from(fromCredentialsFile), context.env);
  throw new PluginError(
    "the repository has no password: name it by passwordFile, passwordSecret or passwordCommand, or by a line RESTIC_PASSWORD=… of the credentials file",
    { kind: "invalid-config" },
  );
}

async function passwordOfFile(path: string): Promise<Password> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new PluginError(`the password file "${path}" (passwordFile) cannot be read`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  return { args: ["--password-file", path], environment: {}, descriptor: undefined, close: nothingToClose };
}

/** A file without a name, which the child inherits: nothing is left of it, however this process ends. */
async function inheritedPassword(bytes: Uint8Array, env: OpenContext["env"]): Promise<Password> {
  const path = join(await privateFolder(env), `.${randomUUID()}`);
  const file = await unnamedFile(path, bytes).catch((error: unknown) => {
    throw new PluginError(
      `hand the repository's password to restic: a file in ${dirname(path)} cannot be written; make room in $VELERO_SCRATCH_DIR or the temporary folder`,
      { kind: "unavailable", cause: error },
    );
  });
  return {
    args: ["--password-file", "/dev/fd/3"],
    environment: {},
    descriptor: file.fd,
    close: async () => await file.close(),
  };
}

async function unnamedFile(path: string, bytes: Uint8Array): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "wx+", 0o600);
  } finally {
    await rm(path, { force: true });
  }
  try {
    await file.writeFile(bytes);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
