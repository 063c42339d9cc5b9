import { chmodSync, copyFileSync, globSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downloadPackage, unpackPackage } from "./debian-download.ts";
import { runtimeLibraries } from "./debian-packages.ts";
import type { Platform } from "./platform.ts";

/**
 * Puts the shared libraries that an executable needs beside the C library into `folder`, replacing it. Plain files under
 * the names that the loader asks for: the server would start anything with an execute bit, and a link always has one.
 */
export function writeRuntimeLibraries(platform: Platform, folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "runtime-libraries-"));
  const whole = `${folder}.${process.pid}`;
  try {
    mkdirSync(whole, { mode: 0o755 });
    for (const [name, pinned] of Object.entries(runtimeLibraries[platform])) {
      unpackPackage(downloadPackage(pinned), scratch);
      const [library] = globSync(`{usr/lib,lib}/*/${name}`, { cwd: scratch });
      if (library === undefined) throw new Error(`${pinned.path} holds no ${name}`);
      copyFileSync(realpathSync(join(scratch, library)), join(whole, name));
      chmodSync(join(whole, name), 0o644);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(whole, folder);
  } finally {
    rmSync(whole, { recursive: true, force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}
