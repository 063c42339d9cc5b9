import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { aptArchives } from "./apt-archives.ts";
import { cacheFolder } from "./workspace.ts";
import type { DebianPackage } from "./debian-packages.ts";

const aptHelper = "/usr/lib/apt/apt-helper";

/**
 * Where package files are looked for: in the archives that FLOTILLA_DEBIAN_ARCHIVES names, then in those of this machine's
 * apt. Debian's archives drop a version once there is a newer one, and other distributions' never had it.
 */
export function packageArchives(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const named = (env["FLOTILLA_DEBIAN_ARCHIVES"] ?? "").split(/\s+/).map((uri) => uri.replace(/\/+$/, ""));
  return [...named.filter((uri) => uri !== ""), ...aptArchives()];
}

/**
 * The path of a pinned package file. Fetched by apt's own downloader, hence through whatever proxy it is configured
 * with, from the first archive that has it; kept by its hash.
 */
export function downloadPackage(pinned: DebianPackage, archives: readonly string[] = packageArchives()): string {
  const path = join(cacheFolder, "debian", `${pinned.sha256}.deb`);
  if (existsSync(path) && sha256(path) === pinned.sha256) return path;
  if (!existsSync(aptHelper))
    throw new Error(`${pinned.path} is wanted: apt's downloader and dpkg-deb fetch it, so build on Debian or Ubuntu`);
  mkdirSync(join(cacheFolder, "debian"), { recursive: true });
  const partial = `${path}.${process.pid}`;
  const failures: string[] = [];
  for (const archive of archives) {
    try {
      execFileSync(aptHelper, ["download-file", `${archive}/${pinned.path}`, partial, `SHA256:${pinned.sha256}`], {
        stdio: "pipe",
      });
      if (sha256(partial) !== pinned.sha256) throw new Error("the content differs from what is pinned");
      renameSync(partial, path);
      return path;
    } catch (error) {
      failures.push(`${archive}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(partial, { force: true });
    }
  }
  throw new Error(
    `no archive of this machine's apt configuration has ${pinned.path}; name one that keeps former versions of Debian's ` +
      `packages by FLOTILLA_DEBIAN_ARCHIVES (several apart by white space)\n${failures.join("\n")}`,
  );
}

/** Unpacks a package file's content into an existing folder. */
export function unpackPackage(path: string, folder: string): void {
  execFileSync("dpkg-deb", ["--extract", path, folder], { stdio: "pipe" });
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
