import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { downloadPackage, unpackPackage } from "../debian-download.ts";
import { basePackages } from "../debian-packages.ts";
import type { Platform } from "../platform.ts";
import { commonLicences } from "./common-licences.ts";
import { copyrightFile } from "./copyright-file.ts";
import type { LayerFile } from "./layer.ts";

/** The program loader's path, which each executable of the platform has in its header, and the folder it searches. */
const loaders: Readonly<Record<Platform, { readonly path: string; readonly libraryFolder: string }>> = {
  "linux-x64": { path: "/lib64/ld-linux-x86-64.so.2", libraryFolder: "/lib/x86_64-linux-gnu" },
  "linux-arm64": { path: "/lib/ld-linux-aarch64.so.1", libraryFolder: "/lib/aarch64-linux-gnu" },
};

/** Of the C library's package: what Node needs, and what looks up host names. */
const libcFiles = [
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
  "librt.so.1",
  "libresolv.so.2",
  "libnss_files.so.2",
  "libnss_dns.so.2",
];

const authorities = "usr/share/ca-certificates/mozilla";

/** What every image of ours holds below its executable: the C library, the certificates of authorities, /tmp. */
export function baseFiles(platform: Platform): LayerFile[] {
  const scratch = mkdtempSync(join(tmpdir(), "image-base-"));
  try {
    const packages = Object.values(basePackages[platform]);
    for (const pinned of packages) unpackPackage(downloadPackage(pinned), scratch);
    const { path, libraryFolder } = loaders[platform];
    const copyrights = ["libc6", "ca-certificates"].map((name) => copyrightFile(scratch, name));
    const library = (file: string): Buffer => readFileSync(realpathSync(join(scratch, libraryFolder, file)));
    return [
      { path, mode: 0o755, content: library(basename(path)) },
      ...libcFiles.map((file) => ({ path: `${libraryFolder}/${file}`, mode: 0o644, content: library(file) })),
      { path: "/etc/nsswitch.conf", mode: 0o644, content: Buffer.from("hosts: files dns\n") },
      { path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates(join(scratch, authorities)) },
      { path: "/tmp", mode: 0o1777 },
      ...copyrights,
      ...commonLicences(copyrights),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Debian's package holds each authority in a file of its own; its installation makes the one file that programs read. */
function certificates(folder: string): Buffer {
  const files = readdirSync(folder).filter((file) => file.endsWith(".crt"));
  return Buffer.concat(files.sort().map((file) => readFileSync(join(folder, file))));
}
