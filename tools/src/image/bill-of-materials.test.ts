import assert from "node:assert/strict";
import { test } from "node:test";
import { basePackages } from "../debian-packages.ts";
import { billOfMaterials } from "./bill-of-materials.ts";

const contents = {
  name: "flotilla-plugin-x",
  version: "1.2.3",
  nodeVersion: "26.0.0",
  bundled: [
    { name: "@scope/one", version: "1.0.0", license: "MIT", folder: "node_modules/@scope/one" },
    { name: "two", version: "2.0.0", license: "(MIT OR Apache-2.0)", folder: "node_modules/two" },
  ],
  debian: Object.values(basePackages["linux-x64"]),
};

test("a package file of another form than Debian's is refused", () => {
  const debian = [{ path: "pool/odd.deb", sha256: "00" }];

  assert.throws(() => billOfMaterials({ ...contents, debian }), /not the name of a package file/);
});

test("the bill names Node, each package with its licence, and each Debian package with its hash", () => {
  const bill: unknown = JSON.parse(billOfMaterials(contents));

  assert.partialDeepStrictEqual(bill, {
    bomFormat: "CycloneDX",
    metadata: { component: { name: "flotilla-plugin-x", version: "1.2.3" } },
    components: [
      { name: "node", purl: "pkg:generic/node@26.0.0" },
      { purl: "pkg:npm/%40scope/one@1.0.0", licenses: [{ license: { id: "MIT" } }] },
      { purl: "pkg:npm/two@2.0.0", licenses: [{ expression: "(MIT OR Apache-2.0)" }] },
      { name: "libc6", purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64" },
      { name: "ca-certificates" },
    ],
  });
});
