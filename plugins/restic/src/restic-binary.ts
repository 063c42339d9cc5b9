import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { copyOfProgram } from "./program-copy.ts";
import { parseVersion } from "./restic-version.ts";
import type { ResticVersion } from "./restic-version.ts";

/** A restic that can be started. */
export interface ResticBinary {
  readonly path: string;
  readonly version: ResticVersion;
}

const shippedName = "restic";
const versionTimeoutMs = 30_000;
const run = promisify(execFile);

/**
 * Finds restic: the path of the location, else the file shipped beside the plugin, else the one on the PATH. In /plugins
 * it carries no execute bit, or the server would start it as a plugin, so such a file is copied to where it may.
 */
export async function findRestic(
  resticPath: string | undefined,
  context: Pick<OpenContext, "env" | "signal">,
): Promise<ResticBinary> {
  const found = resticPath ?? (await shippedFile()) ?? (await onPath(context.env["PATH"]));
  if (found === undefined)
    throw new PluginError(
      "no restic program: none is shipped beside the plugin and none is on the PATH; name one by resticPath",
      { kind: "invalid-config" },
    );
  const path = await executable(found, context.env);
  return { path, version: parseVersion(await askVersion(path, context.signal), path) };
}

async function shippedFile(): Promise<string | undefined> {
  const folder = dirname(process.execPath);
  const path = join(folder, "flotilla-plugin-restic.lib", shippedName);
  return (await isFile(path)) ? path : undefined;
}

async function onPath(path: string | undefined): Promise<string | undefined> {
  for (const folder of (path ?? "").split(delimiter)) {
    const candidate = join(folder, "restic");
    if (folder !== "" && (await isFile(candidate)) && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

async function executable(path: string, env: OpenContext["env"]): Promise<string> {
  if (!(await isFile(path)))
    throw new PluginError(`the restic program "${path}" (resticPath) is not there, or no file`, {
      kind: "invalid-config",
    });
  return (await isExecutable(path)) ? path : await copyOfProgram(path, env);
}

async function askVersion(path: string, signal: AbortSignal): Promise<string> {
  try {
    return (await run(path, ["version"], { env: {}, signal, timeout: versionTimeoutMs })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw new PluginError(
      `"${path}" cannot be run as restic; is it built for this machine, and may programs run from its folder?`,
      { kind: "invalid-config", cause: error },
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
