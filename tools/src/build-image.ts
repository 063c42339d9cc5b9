import { execFileSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programName } from "./executable-name.ts";
import { blobFolder, writeIndex, writeManifest } from "./image/oci-layout.ts";
import type { ImageStart, ManifestDescriptor } from "./image/oci-layout.ts";
import { writeProgramLayers } from "./image/program-layers.ts";
import { isNative, platforms } from "./platform.ts";
import type { Platform } from "./platform.ts";
import { readManifest } from "./workspace.ts";
import type { PackageManifest } from "./workspace.ts";

// A program, run in a package's folder after build-plugin and package-plugin: writes dist/image, an OCI image layout
// with one index of all platforms. What is not this machine's platform is built here.

await buildImage(process.cwd());

async function buildImage(packageFolder: string): Promise<void> {
  const manifest = readManifest(packageFolder);
  const name = programName(manifest);
  const folder = manifest.command === undefined ? "/plugins" : "/usr/bin";
  const program = { packageFolder, name, version: manifest.version, folder };
  const start = imageStart(manifest, `${folder}/${name}`);
  const layout = join(packageFolder, "dist", `image.${process.pid}`);
  try {
    const manifests: ManifestDescriptor[] = [];
    const sizes: string[] = [];
    for (const platform of platforms) {
      if (!isNative(platform)) buildFor(packageFolder, platform);
      const layers = await writeProgramLayers(program, platform, blobFolder(layout));
      manifests.push(writeManifest(layout, platform, layers, start));
      sizes.push(`${platform}: ${layers.map(({ size }) => `${(size / 1e6).toFixed(1)} MB`).join(" + ")}, compressed`);
    }
    const { digest } = writeIndex(layout, manifests, start, manifest.version);
    publish(layout, join(packageFolder, "dist", "image"));
    const report = `${name} ${manifest.version} ${digest}\n${sizes.join("\n")}\n`;
    writeFileSync(join(packageFolder, "dist", `${name}.image.txt`), report);
    process.stdout.write(report);
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

function imageStart({ name, version, description, command }: PackageManifest, path: string): ImageStart {
  return {
    entrypoint: command === undefined ? [path, "install", "/target"] : [path],
    labels: {
      "org.opencontainers.image.title": name,
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.description": description,
      "org.opencontainers.image.licenses": "Apache-2.0",
    },
  };
}

function buildFor(packageFolder: string, platform: Platform): void {
  for (const program of ["build-plugin.ts", "package-plugin.ts"])
    execFileSync(process.execPath, [join(import.meta.dirname, program), "--platform", platform], {
      cwd: packageFolder,
      stdio: ["ignore", "ignore", "inherit"],
    });
}

function publish(layout: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  renameSync(layout, target);
}
