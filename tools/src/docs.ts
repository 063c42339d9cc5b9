import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Definition, Permission } from "@flotilla/sdk/plugin";
import { factsOf } from "./plugin-facts.ts";
import type { PluginFacts } from "./plugin-facts.ts";
import { referenceTables, replaceBetweenMarkers } from "./reference-table.ts";
import { workspaceFolder } from "./workspace.ts";

// A program: writes each plugin's config reference into docs/<plugin>-config.md and into the plugin's README, from the
// schemas that the plugin parses its locations with, and what the command line has to know of each plugin into
// cli/src/plugin-facts/facts.json. `--check` writes nothing and fails where a page is out of date.

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const faults: string[] = [];
const facts: Record<string, PluginFacts> = {};
for (const folder of globSync("plugins/*/src/definitions.ts", { cwd: workspaceFolder }).sort()) {
  const plugin = join(folder, "..", "..");
  const definitions = await loadDefinitions(join(workspaceFolder, folder));
  update(`docs/${basename(plugin)}-config.md`, () => referencePage(basename(plugin), referenceTables(definitions, 2)));
  facts[basename(plugin)] = factsOf(definitions, await loadPermissions(join(workspaceFolder, plugin)));
  update(join(plugin, "README.md"), (page) => replaceBetweenMarkers(page, "config", referenceTables(definitions, 3)));
}
update("cli/src/plugin-facts/facts.json", () => `${JSON.stringify(facts, undefined, 1)}\n`);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

function update(path: string, render: (page: string) => string | undefined): void {
  const file = join(workspaceFolder, path);
  const page = existsSync(file) ? readFileSync(file, "utf8") : "";
  const rendered = render(page);
  if (rendered === undefined) faults.push(`${path}: has no place for the config table (<!-- config:begin -->)`);
  else if (rendered === page) return;
  else if (values.check) faults.push(`${path}: differs from the plugin's config; run npm run generate`);
  else writeFileSync(file, rendered);
}

function referencePage(plugin: string, tables: string): string {
  return [
    `<!-- Generated from plugins/${plugin}/src/config.ts by npm run generate; edit there. -->`,
    "",
    `# Config reference: ${plugin}`,
    "",
    "Keys of `spec.config` in the locations of this plugin. Origin says where a key comes from: *official* keys are those of",
    "the official plugin, with their names and meaning; *ours* are unknown to it and are removed before switching back;",
    "*server* keys are added by the server and are not written by hand.",
    "",
    tables,
  ].join("\n");
}

async function loadDefinitions(path: string): Promise<readonly Definition[]> {
  const module: unknown = await import(pathToFileURL(path).href);
  // Every plugin's definitions.ts exports this; the type checker sees that where serve() is called.
  return (module as { definitions: readonly Definition[] }).definitions;
}

/** None for a plugin without requests of its own to a cloud. */
async function loadPermissions(plugin: string): Promise<readonly Permission[]> {
  const path = join(plugin, "src", "permissions.ts");
  if (!existsSync(path)) return [];
  const module: unknown = await import(pathToFileURL(path).href);
  // What every such file exports; its test sees to that.
  return (module as { permissions: readonly Permission[] }).permissions;
}
