import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";

const installed = join(import.meta.dirname, "../../.cache/interop/bin");

/**
 * The restic to test with: the one of $RESTIC, the one that the interop suite installed, or the one on the PATH.
 * Undefined where this machine has none: what needs it is skipped then, and says so.
 */
export function findRestic(): string | undefined {
  const named = process.env["RESTIC"];
  if (named !== undefined && named !== "") return named;
  const own = globSync("restic-v*", { cwd: installed }).sort().at(-1);
  const candidates = [
    ...(own === undefined ? [] : [join(installed, own)]),
    ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "restic")),
  ];
  return candidates.find(isExecutable);
}

/** Why tests are skipped where there is no restic. */
export const noRestic =
  "SKIPPED: this machine has no restic, so that nothing here was tested with it; npm run test:interop -- --targets restic installs one";

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
