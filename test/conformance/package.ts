import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "rolldown";

// A program: makes the package that others install. Nothing of it is TypeScript, which Node does not strip below
// node_modules, and nothing depends on packages of this workspace.

const { values } = parseArgs({ options: { to: { type: "string", default: join(import.meta.dirname, "dist") } } });
await makePackage(import.meta.dirname, values.to);

async function makePackage(folder: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await build({
    input: { "plugin-conformance": join(folder, "src/main.ts"), index: join(folder, "src/index.ts") },
    platform: "node",
    tsconfig: false,
    logLevel: "warn",
    // Node 22 has no `using`.
    transform: { target: "node22" },
    output: { dir: target, format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name].js" },
  });
  // The parse edge: this package's own manifest.
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
  const { name, version, description, license, type } = manifest;
  const published = {
    name,
    version,
    description,
    license,
    type,
    bin: { "plugin-conformance": "./plugin-conformance.js" },
    exports: { ".": "./index.js" },
    engines: { node: ">=22" },
  };
  await writeFile(join(target, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
  await copyFile(join(folder, "README.md"), join(target, "README.md"));
  await copyFile(join(folder, "../../LICENSE"), join(target, "LICENSE"));
}
