import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { privateFolder } from "./private-folder.ts";

/**
 * An executable copy of a program that may not carry the execute bit where it lies. It is made once for each content, in
 * a folder of this user's own, and never trusted by its name: its bytes are hashed before each use.
 */
export async function copyOfProgram(source: string, env: OpenContext["env"]): Promise<string> {
  const hash = await hashOf(source);
  const folder = join(await privateFolder(env), "bin", hash.slice(0, 32));
  const copy = join(folder, "restic");
  if ((await hashOf(copy).catch(() => undefined)) === hash) return copy;
  const scratch = join(folder, `.${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await copyFile(source, scratch);
    if ((await hashOf(scratch)) !== hash) throw new Error("the copy differs from its source");
    await chmod(scratch, 0o700);
    // Another process may do the same: both have the same bytes, and a rename replaces in one step.
    await rename(scratch, copy);
  } catch (error) {
    throw new PluginError(
      `the restic program "${source}" has no execute bit and cannot be copied to "${folder}" to get one; check the space and the rights there`,
      { kind: "invalid-config", cause: error },
    );
  } finally {
    await rm(scratch, { force: true });
  }
  return copy;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 ** 2 }), hash);
  return hash.digest("hex");
}
