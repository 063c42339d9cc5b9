import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downloadPackage, unpackPackage } from "../debian-download.ts";
import { licenceTextsPackage } from "../debian-packages.ts";
import type { LayerFile } from "./layer.ts";

const folder = "/usr/share/common-licenses";

/** The licences that these copyrights of Debian packages name without their text, which Debian keeps in one place. */
export function commonLicences(copyrights: readonly LayerFile[]): LayerFile[] {
  const scratch = mkdtempSync(join(tmpdir(), "licences-"));
  try {
    unpackPackage(downloadPackage(licenceTextsPackage), scratch);
    return licencesNamedBy(copyrights, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The same, of texts that were unpacked below `root`. */
export function licencesNamedBy(copyrights: readonly LayerFile[], root: string): LayerFile[] {
  const names = copyrights.flatMap(({ content }) =>
    Array.from((content ?? "").toString().matchAll(pointer), ([, name = ""]) => name),
  );
  return [...new Set(names)].toSorted().map((name) => {
    const path = `${folder}/${name}`;
    // Some are links to the newest version.
    return { path, mode: 0o644, content: readFileSync(join(root, path)) };
  });
}

// Without the mark that ends the sentence.
const pointer = /\/usr\/share\/common-licenses\/([A-Za-z]\w*(?:-\d+(?:\.\d+)*)?)/g;
