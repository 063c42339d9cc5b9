import { constants } from "node:fs";
import { access, copyFile, cp, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { PluginFolder } from "./spec.ts";

/**
 * Copies an executable and its libraries into a folder of its own, as an init container copies them into
 * /plugins: the server starts every executable file that it finds there.
 */
export async function stagePlugin(
  runDir: string,
  executable: string,
  options: { readonly name: string; readonly knownFaults: boolean },
): Promise<PluginFolder> {
  await access(executable, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${executable} is not there or not executable; build it first (npm run build)`, { cause });
  });
  const dir = join(runDir, "plugins", options.name);
  await mkdir(dir, { recursive: true });
  const file = basename(executable);
  await copyFile(executable, join(dir, file), constants.COPYFILE_FICLONE);
  const libraries = `${executable}.lib`;
  if (
    await access(libraries).then(
      () => true,
      () => false,
    )
  ) {
    await cp(libraries, join(dir, `${file}.lib`), { recursive: true });
  }
  return { ...options, dir, executable: file };
}
