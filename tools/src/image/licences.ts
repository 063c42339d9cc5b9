import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { workspaceFolder } from "../workspace.ts";
import type { BundledPackage } from "../bundled-packages.ts";

const licenceFile = /^(licen[cs]e|copying|notice)(\.\w+)?$/i;

/**
 * The licence texts of all that is inside an executable, as their terms demand of a copy: the project's own, Node's with
 * what Node is made of, and each bundled package's. Equal texts stand once, under every package that they belong to.
 */
export function licenceTexts(bundled: readonly BundledPackage[], nodeFolder: string): string {
  const owners = new Map<string, string[]>();
  const add = (owner: string, text: string): void => {
    owners.set(text, [...(owners.get(text) ?? []), owner]);
  };
  add("flotilla", readFileSync(join(workspaceFolder, "LICENSE"), "utf8"));
  add("Node.js and what it is made of", readFileSync(join(nodeFolder, "LICENSE"), "utf8"));
  for (const { name, version, license, folder } of bundled)
    add(`${name} ${version}: ${license}`, packageTexts(folder) ?? `Its package holds no text; it states ${license}.\n`);
  return [...owners].map(([text, names]) => `${names.join("\n")}\n\n${text.trim()}\n`).join(`\n${"=".repeat(78)}\n\n`);
}

function packageTexts(folder: string): string | undefined {
  const path = join(workspaceFolder, folder);
  const files = existsSync(path) ? readdirSync(path).filter((file) => licenceFile.test(file)) : [];
  if (files.length === 0) return undefined;
  return files.map((file) => readFileSync(join(path, file), "utf8").trim()).join("\n\n");
}
