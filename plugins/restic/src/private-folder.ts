import { lstat, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";

const usedByOthers = 0o077;

/**
 * A folder that only this user may enter, below the server's scratch folder or the temporary one. One that somebody else
 * made, or may write to, is refused: programs are started from it.
 */
export async function privateFolder(env: OpenContext["env"]): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const folder = join(env["VELERO_SCRATCH_DIR"] || tmpdir(), `flotilla-restic-${uid}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(folder, "cannot be made", error);
  }
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & usedByOthers) !== 0)
    throw unusable(folder, "belongs to another user or is open to others; remove it");
  return folder;
}

function unusable(folder: string, fault: string, cause?: unknown): PluginError {
  return new PluginError(
    `the folder "${folder}" ${fault}; the plugin needs a folder of its own in $VELERO_SCRATCH_DIR or the temporary folder`,
    { kind: "invalid-config", cause },
  );
}
