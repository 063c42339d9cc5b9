import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { downloadPackage, unpackPackage } from "../debian-download.ts";
import type { DebianPackage } from "../debian-packages.ts";
import type { LayerFile } from "./layer.ts";

/** The copyright of a Debian package that was unpacked below `root`, where Debian puts it. */
export function copyrightFile(root: string, name: string): LayerFile {
  const path = `/usr/share/doc/${name}/copyright`;
  return { path, mode: 0o644, content: readFileSync(join(root, path)) };
}

/** The same of packages of which nothing else is wanted here. */
export function copyrightFiles(packages: readonly DebianPackage[]): LayerFile[] {
  return packages.map((pinned) => {
    const scratch = mkdtempSync(join(tmpdir(), "copyright-"));
    try {
      unpackPackage(downloadPackage(pinned), scratch);
      const [name = ""] = basename(pinned.path).split("_");
      return copyrightFile(scratch, name);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
}
