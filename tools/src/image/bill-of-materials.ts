import { basename } from "node:path";
import type { BundledPackage } from "../bundled-packages.ts";
import type { DebianPackage } from "../debian-packages.ts";

/** What an image of ours consists of. */
export interface ImageContents {
  readonly name: string;
  readonly version: string;
  readonly nodeVersion: string;
  readonly bundled: readonly BundledPackage[];
  readonly debian: readonly DebianPackage[];
}

/**
 * The bill of materials as CycloneDX 1.6 (ecma-international.org, ECMA-424) in JSON. It has no serial number and no
 * time, which the specification leaves open: the same contents give the same text.
 */
export function billOfMaterials({ name, version, nodeVersion, bundled, debian }: ImageContents): string {
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", name, version, licenses: [{ license: { id: "Apache-2.0" } }] } },
    components: [
      { type: "platform", name: "node", version: nodeVersion, purl: `pkg:generic/node@${nodeVersion}` },
      ...bundled.map(npmComponent),
      ...debian.map(debianComponent),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

function npmComponent({ name, version, license }: BundledPackage): object {
  const isExpression = /\s/.test(license);
  const licence = isExpression ? { expression: license } : { license: { id: license } };
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return { type: "library", name, version, purl, licenses: [licence] };
}

/** `pool/…/libc6_2.36-9+deb12u14_amd64.deb` */
function debianComponent({ path, sha256 }: DebianPackage): object {
  const [name, version, architecture] = basename(path, ".deb").split("_");
  if (name === undefined || version === undefined || architecture === undefined)
    throw new Error(`${path}: not the name of a package file of Debian`);
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { type: "library", name, version, purl, hashes: [{ alg: "SHA-256", content: sha256 }] };
}
