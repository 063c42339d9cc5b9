import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageListName, readBundledPackages } from "../bundled-packages.ts";
import { basePackages, runtimeLibraries, runtimeLibraryCopyright, shippedPrograms } from "../debian-packages.ts";
import { libraryFolderName } from "../executable-name.ts";
import { nodeBinary } from "../node-binary.ts";
import { outputFolder } from "../platform.ts";
import type { Platform } from "../platform.ts";
import { baseFiles } from "./base-files.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import { commonLicences } from "./common-licences.ts";
import { copyrightFiles } from "./copyright-file.ts";
import { writeLayer } from "./layer.ts";
import type { Layer, LayerFile } from "./layer.ts";
import { licenceTexts } from "./licences.ts";

/** The program that an image is made for. */
export interface ImageProgram {
  /** Of the package that built it. */
  readonly packageFolder: string;
  readonly name: string;
  readonly version: string;
  /** Where it lies in the image. */
  readonly folder: string;
}

/**
 * Writes the layers of one platform's image. First what rarely changes and all images of ours share, which a registry
 * and a node keep once; then the program with what belongs to it.
 */
export async function writeProgramLayers(program: ImageProgram, platform: Platform, blobs: string): Promise<Layer[]> {
  const output = outputFolder(program.packageFolder, platform);
  return [
    await writeLayer(baseFiles(platform), blobs),
    await writeLayer([...programFiles(program, output), ...documents(program, output, platform)], blobs),
  ];
}

function programFiles({ name, folder }: ImageProgram, output: string): LayerFile[] {
  const libraries = libraryFolderName(name);
  if (!existsSync(join(output, libraries)))
    throw new Error(`${output} holds no ${libraries}: run package-plugin first`);
  return [
    { path: `${folder}/${name}`, mode: 0o755, content: readFileSync(join(output, name)) },
    ...readdirSync(join(output, libraries)).map((file) => ({
      path: `${folder}/${libraries}/${file}`,
      mode: 0o644,
      content: readFileSync(join(output, libraries, file)),
    })),
  ];
}

function documents({ name, version }: ImageProgram, output: string, platform: Platform): LayerFile[] {
  const bundled = readBundledPackages(join(output, packageListName(name)));
  const nodeFolder = dirname(dirname(nodeBinary(platform)));
  const programs = [shippedPrograms[name]?.[platform]].filter((pinned) => pinned !== undefined);
  const debian = [...Object.values(basePackages[platform]), ...Object.values(runtimeLibraries[platform]), ...programs];
  const texts = {
    "licences.txt": licenceTexts(bundled, nodeFolder),
    "bill-of-materials.cdx.json": billOfMaterials({
      name,
      version,
      nodeVersion: process.version.slice(1),
      bundled,
      debian,
    }),
  };
  const own = Object.entries(texts).map(([file, text]) => ({
    path: `/usr/share/doc/${name}/${file}`,
    mode: 0o644,
    content: Buffer.from(text),
  }));
  const copyrights = copyrightFiles([runtimeLibraryCopyright[platform], ...programs]);
  return [...own, ...copyrights, ...commonLicences(copyrights)];
}
