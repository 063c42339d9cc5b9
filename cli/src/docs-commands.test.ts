import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import type { Command } from "commander";

import type { CliContext } from "./context.ts";
import { StandIns } from "./demo/stand-ins.ts";
import { standInFolder } from "./demo/stand-in-folder.ts";
import { createProgram } from "./program.ts";
import { runCli } from "./run-cli.ts";
import { checkout, commandsIn, pages, readWords } from "./testing/doc-pages.ts";
import { configMap } from "./testing/flotilla.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { nounFirst } from "./word-order.ts";

// The commands of the pages, word for word but for the names of backups: run against the stand-ins of AWS, in one folder
// and in one process, since starting the program dozens of times is what would take long. Those about another store, and
// those of which another page says more, are only read.
const executable = join(checkout, "plugins", "aws", "dist", "flotilla-plugin-aws");
const skip = existsSync(executable) ? false : "plugins/aws is not built: npm run build";
const commands = pages.flatMap((page) =>
  [...new Set(commandsIn(page))].map((line) => ({ page, line, words: nounFirst(readWords(line)) })),
);
// The name that one of the pages gives the backup which it makes.
const madeBackup = "nightly";
const folder = await temporaryFolder();
const volumeId = "vol-0c0ffee0000000001";
let standIns: StandIns | undefined;
let complaint = "";
let context: CliContext = {
  env: {},
  workingDirectory: folder,
  printOut: () => {},
  printError: (text) => void (complaint += text),
  isTerminal: false,
  signal: new AbortController().signal,
  now: () => new Date(),
};

test("the guides hold commands of this program", () => {
  assert.ok(commands.length > 20, `${commands.length} were found`);
});

const run = representatives();
for (const { page, line, words } of commands.filter((command) => !run.includes(command)))
  test(`${page}: ${line} is a command with these flags`, async () => {
    complaint = "";
    const program = createProgram(context, { exitCode: 0 });
    forgetActions(program);

    await assert.doesNotReject(
      async () => await program.parseAsync([...words], { from: "user" }),
      () => assert.fail(complaint),
    );
  });

test("npm run flotilla reads files of the folder that it is called in", async () => {
  await writeFile(join(folder, "here.yaml"), locationFile("my-backups"));
  const manifest: unknown = JSON.parse(await readFile(join(checkout, "package.json"), "utf8"));
  const { scripts } = manifest as { readonly scripts: { readonly flotilla: string } };
  // As npm runs it: from its package's folder, with the caller's in the environment and the project's Node first.
  const PATH = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const options = { cwd: checkout, env: { ...process.env, PATH, INIT_CWD: folder } };

  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", `${scripts.flotilla} install --location here.yaml`],
    options,
  );

  assert.match(stdout, /--bucket my-backups/);
});

describe("on the stand-ins of AWS", { skip }, () => {
  before(async () => {
    await writeFiles();
    const buckets = ["my-backups", "elsewhere", "empty"].flatMap((name) => ["--bucket", `${name}@eu-central-1`]);
    const volume = `id=${volumeId},zone=eu-central-1a,sizeGiB=1,type=gp3`;
    const args = ["--state", join(folder, "state"), ...buckets, "--volume", volume];
    const { env } = process;
    standIns = await StandIns.start({ ...context, env }, { path: join(standInFolder, "main.ts"), args });
    const { s3 = "", ec2 = "" } = standIns.facts;
    const surroundings = {
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const endpoints = { AWS_ENDPOINT_URL_S3: s3, AWS_ENDPOINT_URL_EC2: ec2 };
    context = { ...context, env: { PATH: env["PATH"], HOME: folder, ...surroundings, ...endpoints } };
    process.chdir(folder);
  });

  after(async () => {
    process.chdir(checkout);
    await standIns?.[Symbol.asyncDispose]();
  });

  // What the others read is made first.
  for (const { page, line, words } of run.toSorted(creationsFirst))
    test(`${page}: ${line} runs`, async () => {
      const exitCode = await runInProcess(words);

      // 1 says that something is to be done: a command's answer, and no fault of the page.
      assert.ok(exitCode === 0 || (words[0] === "upgrade" && exitCode === 1), complaint);
    });
});

async function runInProcess(words: readonly string[]): Promise<number> {
  complaint = "";
  return await runCli([...withMadeBackup(words), ...additions(words)], context);
}

function withMadeBackup([noun = "", verb = "", name, ...rest]: readonly string[]): readonly string[] {
  if (name === undefined) return [noun, verb];
  const isOfBackup = noun === "backup" && verb !== "create" && !name.startsWith("-");
  return [noun, verb, isOfBackup ? madeBackup : name, ...rest];
}

/** What the stand-ins and a quick test want beside a page's own words. */
function additions(words: readonly string[]): readonly string[] {
  const asksCloud = words[0] !== "install" && words[0] !== "upgrade";
  return [
    ...(asksCloud ? ["--plugin", executable] : []),
    ...(words.includes("--watch") ? ["--interval", "20ms"] : []),
    // Over plain HTTP nobody sends a key along: a bucket without objects asks for none.
    ...(words.includes("customerKeyEncryptionFile=customer-key") ? ["--bucket", "empty"] : []),
  ];
}

/** All but what is about restic, which the stand-ins do not have. */
function canRun(words: readonly string[]): boolean {
  const isOfRestic = words.includes("--pod") || words.includes("--read-data-subset");
  return !isOfRestic && !words.some((word) => word.includes("second-repository"));
}

/**
 * The commands that are run: of those with one verb, one that says everything which another says stands for both, whatever
 * the backup is called.
 */
function representatives(): typeof commands {
  const runnable = commands.filter(({ words }) => canRun(words));
  const shapes = runnable.map(({ words }) => withMadeBackup(words).map((word) => word.replace(/^\.\//, "")));
  return runnable.filter((_, one) => {
    const [noun, verb, ...rest] = shapes[one] ?? [];
    return !shapes.some(([otherNoun, otherVerb, ...more], other) => {
      const isSame = more.length === rest.length;
      const saysMore = noun === otherNoun && verb === otherVerb && rest.every((word) => more.includes(word));
      return other !== one && saysMore && (!isSame || other < one);
    });
  });
}

function creationsFirst(a: { readonly words: readonly string[] }, b: { readonly words: readonly string[] }): number {
  return Number(b.words.includes("create")) - Number(a.words.includes("create"));
}

function forgetActions(command: Command): void {
  for (const child of command.commands) forgetActions(child);
  if (command.commands.length === 0) command.action(() => {});
}

function locationFile(bucket: string): string {
  return `apiVersion: velero.io/v1\nkind: BackupStorageLocation\nmetadata: { name: default }\nspec: { provider: aws, objectStorage: { bucket: ${bucket} }, config: { region: eu-central-1 } }\n`;
}

/** The files that the pages speak of. */
async function writeFiles(): Promise<void> {
  const volumes =
    "apiVersion: velero.io/v1\nkind: VolumeSnapshotLocation\nmetadata: { name: default }\nspec: { provider: aws, config: { region: eu-central-1, copyToRegions: eu-west-1 } }\n";
  const volume = `apiVersion: v1\nkind: PersistentVolume\nmetadata: { name: data, labels: { topology.kubernetes.io/zone: eu-central-1a } }\nspec: { csi: { driver: ebs.csi.aws.com, volumeHandle: ${volumeId} } }\n`;
  const credentials = "[default]\naws_access_key_id=test\naws_secret_access_key=testsecret\n";
  await mkdir(join(folder, "manifests"));
  const files = {
    "manifests/settings.yaml": configMap,
    "manifests/volume.yaml": volume,
    "bsl.yaml": locationFile("my-backups"),
    "vsl.yaml": volumes,
    "cluster.yaml": `${locationFile("my-backups")}---\n${volumes}`,
    "aws.yaml": locationFile("my-backups"),
    // Of another cloud in the page; what matters here is that it is another place.
    "azure.yaml": locationFile("elsewhere"),
    credentials,
    "credentials-aws": credentials,
    "credentials-azure": credentials,
    "customer-key": "k".repeat(32),
    "ca.pem": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "velero.log": "level=info msg=started\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
