import { chmodSync, copyFileSync, globSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { downloadPackage, unpackPackage } from "./debian-download.ts";
import { runtimeLibraries, shippedPrograms } from "./debian-packages.ts";
import type { Platform } from "./platform.ts";

/**
 * Puts the shared libraries that an executable needs beside the C library into `folder`, replacing it, and the program
 * that it starts where there is one. Plain files without an execute bit: the server would start anything that has one,
 * and a link always has.
 */
export function writeRuntimeLibraries(platform: Platform, executable: string, folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "runtime-libraries-"));
  const whole = `${folder}.${process.pid}`;
  try {
    mkdirSync(whole, { mode: 0o755 });
    for (const [name, pinned] of Object.entries(runtimeLibraries[platform])) {
      unpackPackage(downloadPackage(pinned), scratch);
      const [library] = globSync(`{usr/lib,lib}/*/${name}`, { cwd: scratch });
      if (library === undefined) throw new Error(`${pinned.path} holds no ${name}`);
      copyPlain(join(scratch, library), join(whole, name));
    }
    const program = shippedPrograms[executable]?.[platform];
    if (program !== undefined) {
      unpackPackage(downloadPackage(program), scratch);
      copyPlain(join(scratch, program.file), join(whole, basename(program.file)));
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(whole, folder);
  } finally {
    rmSync(whole, { recursive: true, force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}

function copyPlain(from: string, to: string): void {
  copyFileSync(realpathSync(from), to);
  chmodSync(to, 0o644);
}
