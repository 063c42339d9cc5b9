import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { Command } from "commander";

import type { CliContext } from "./context.ts";
import { createProgram } from "./program.ts";
import { Flotilla } from "./testing/flotilla.ts";
import { nounFirst } from "./word-order.ts";

const checkout = join(import.meta.dirname, "..", "..");
const pages = globSync(["README.md", "docs/**/*.md", "cli/README.md", "plugins/*/README.md"], { cwd: checkout })
  // A decision is of its time, and so are the commands in it.
  .filter((page) => !page.includes("node_modules") && !page.includes("/adr/"))
  .toSorted((a, b) => (a < b ? -1 : 1));
const flotilla = await Flotilla.prepare();
const commands = pages.flatMap((page) => commandsIn(page).map((line) => ({ page, line })));
const scripts = (JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { scripts: object }).scripts;

test("the guides hold commands of this program", () => {
  assert.ok(commands.length > 20, `${commands.length} were found`);
});

for (const { page, line } of commands) {
  const words = readWords(line);
  if (needsNoAccount(words)) {
    test(`${page}: ${line} runs`, async () => {
      const { exitCode, stderr } = await flotilla.runIn(await folderOfFiles(), ...words, ...pluginOf(words));

      // 1 says that something is to be done: a command's answer, and no fault of the page.
      assert.ok(exitCode === 0 || (words[0] === "upgrade" && exitCode === 1), stderr);
    });
  } else {
    test(`${page}: ${line} is a command with these flags`, async () => {
      let complaint = "";
      const program = createProgram({ ...context, printError: (text) => void (complaint += text) }, { exitCode: 0 });
      forgetActions(program);

      await assert.doesNotReject(
        async () => await program.parseAsync([...nounFirst(words)], { from: "user" }),
        complaint,
      );
    });
  }
}

test("scripts that the pages name are there", () => {
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)(?![\w:-]| -w)/g)].map(([, name = ""]) => name),
  );
  const known = new Set(Object.keys(scripts));

  assert.deepEqual(
    [...new Set(named)].filter((name) => !known.has(name)),
    [],
  );
});

test("pages link to files that are there", () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].flatMap(([, path = ""]) =>
      globSync(join(page, "..", path), { cwd: checkout }).length > 0 ? [] : [`${page}: ${path}`],
    ),
  );

  assert.deepEqual(broken, []);
});

const context: CliContext = {
  env: {},
  workingDirectory: ".",
  printOut: () => {},
  printError: () => {},
  isTerminal: false,
  signal: new AbortController().signal,
  now: () => new Date(0),
};

function textOf(page: string): string {
  return readFileSync(join(checkout, page), "utf8");
}

/** Lines of code blocks that begin with the program's name, as they are after a shell has joined them. */
function commandsIn(page: string): readonly string[] {
  const joined = textOf(page).replaceAll(/ \\\n\s*/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [, command = ""] = /^\s*(?:\$ |\d+\. )?(?:npm run )?(flotilla (?!install \/)[a-z-].*)$/.exec(line) ?? [];
    // An ellipsis is left to the reader.
    return command === "" || command.includes("…")
      ? []
      : [
          command
            .replace(/^flotilla (-- )?/, "")
            .replace(/ {3,}#.*$/, "")
            .trim(),
        ];
  });
}

function readWords(line: string): readonly string[] {
  return (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ""));
}

/** Those that ask no cloud anything. */
function needsNoAccount([first = "", ...rest]: readonly string[]): boolean {
  const asks = rest.some((word) => ["--location", "--volume-location", "--bucket"].includes(word));
  return ["install", "upgrade"].includes(first) || (["debug", "plugin"].includes(first) && !asks);
}

function pluginOf([first = ""]: readonly string[]): readonly string[] {
  return first === "debug" || first === "plugin" ? ["--plugin", flotilla.plugin] : [];
}

function forgetActions(command: Command): void {
  for (const child of command.commands) forgetActions(child);
  if (command.commands.length === 0) command.action(() => {});
}

/** The files that the pages speak of. */
async function folderOfFiles(): Promise<string> {
  const spec = (bucket: string): string =>
    `spec: { provider: aws, objectStorage: { bucket: ${bucket} }, config: { region: eu-central-1 } }\n`;
  const location = (bucket: string): string =>
    `apiVersion: velero.io/v1\nkind: BackupStorageLocation\nmetadata: { name: default }\n${spec(bucket)}`;
  const volumes =
    "apiVersion: velero.io/v1\nkind: VolumeSnapshotLocation\nmetadata: { name: default }\nspec: { provider: aws, config: { region: eu-central-1 } }\n";
  const folder = await flotilla.write({
    "bsl.yaml": location("my-backups"),
    "vsl.yaml": volumes,
    "cluster.yaml": `${location("my-backups")}---\n${volumes}`,
    "aws.yaml": location("one"),
    "azure.yaml": location("two"),
    credentials: "[default]\n",
    "ca.pem": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "velero.log": "level=info msg=started\n",
  });
  return folder;
}
