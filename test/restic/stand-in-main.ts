import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

// A program: a stand-in for restic 0.18 on machines without one. It knows the commands and the flags that objects need,
// as restic documents them, on a repository in a folder, and refuses all others. It neither encrypts, nor deduplicates,
// nor locks: what is tried with it is how the plugin speaks with a restic, never what restic keeps.

interface Snapshot {
  readonly id: string;
  readonly time: string;
  readonly tags: readonly string[];
  readonly summary: { readonly total_bytes_processed: number };
  readonly paths: readonly string[];
}

/** Ends with restic's words and its exit code. */
class Fatal extends Error {
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repo: { type: "string" },
    "password-file": { type: "string" },
    "cache-dir": { type: "string" },
    "retry-lock": { type: "string" },
    tag: { type: "string", multiple: true, default: [] },
    "stdin-filename": { type: "string" },
    time: { type: "string" },
    stdin: { type: "boolean" },
    json: { type: "boolean" },
    "no-lock": { type: "boolean" },
    "cleanup-cache": { type: "boolean" },
    quiet: { type: "boolean" },
  },
});
const [command = "", ...operands] = positionals;
const repository = values.repo ?? process.env["RESTIC_REPOSITORY"] ?? "";
const config = join(repository, "config");

try {
  await run();
} catch (error) {
  if (!(error instanceof Fatal)) throw error;
  process.stderr.write(`Fatal: ${error.message}\n`);
  process.exitCode = error.code;
}

async function run(): Promise<void> {
  if (command === "version") return print("restic 0.18.1 stand-in\n");
  if (command === "init") return init();
  const id = open();
  switch (command) {
    case "cat":
      return print(JSON.stringify({ version: 2, id, chunker_polynomial: "25b468838dcb75" }));
    case "snapshots":
      return print(JSON.stringify(snapshots()));
    case "ls":
      return print(`${find(operands[0]).paths.join("\n")}\n`);
    case "backup":
      return await backUp();
    case "dump":
      return await dump();
    case "forget":
      for (const wanted of operands) forget(wanted);
      return;
    case "list":
    case "unlock":
      return;
    default:
      throw new Fatal(`unknown command "${command}"`);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function init(): void {
  if (existsSync(config)) throw new Fatal(`create repository at ${repository} failed: config file already exists`);
  for (const part of ["keys", "data", "index", "locks", "snapshots"])
    mkdirSync(join(repository, part), { recursive: true });
  if (readdirSync(join(repository, "keys")).length > 0) throw new Fatal("repository already contains keys");
  const id = randomBytes(32).toString("hex");
  writeFileSync(join(repository, "keys", randomBytes(32).toString("hex")), password());
  writeFileSync(config, id);
}

function password(): string {
  const text = readFileSync(values["password-file"] ?? "", "utf8").trim();
  return createHash("sha256").update(text).digest("hex");
}

/** Answers the repository's id, after a look at its password, and touches the folder of its cache. */
function open(): string {
  if (!existsSync(config))
    throw new Fatal(
      `repository does not exist: unable to open config file: stat ${config}: no such file or directory\nIs there a repository at the following location?\n${repository}`,
      10,
    );
  const [key = ""] = readdirSync(join(repository, "keys"));
  if (readFileSync(join(repository, "keys", key), "utf8") !== password())
    throw new Fatal("wrong password or no key found", 12);
  const id = readFileSync(config, "utf8");
  const cache = join(values["cache-dir"] ?? "", id);
  mkdirSync(cache, { recursive: true });
  utimesSync(cache, new Date(), new Date());
  return id;
}

function snapshots(): readonly Snapshot[] {
  const folder = join(repository, "snapshots");
  // What backUp wrote.
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Snapshot);
}

async function backUp(): Promise<void> {
  if (values.stdin !== true || values["stdin-filename"] === undefined) throw new Fatal("only --stdin is known");
  const id = randomBytes(32).toString("hex");
  const data = createWriteStream(join(repository, "data", id));
  await pipeline(process.stdin, data);
  if (data.bytesWritten === 0) throw new Fatal("unable to save snapshot: snapshot is empty");
  const snapshot: Snapshot = {
    id,
    time: new Date().toISOString(),
    // restic, too, cuts them at commas.
    tags: values.tag.flatMap((tag) => tag.split(",")),
    summary: { total_bytes_processed: data.bytesWritten },
    paths: [`/${values["stdin-filename"]}`],
  };
  const scratch = join(repository, `scratch-${id}`);
  writeFileSync(scratch, JSON.stringify(snapshot));
  renameSync(scratch, join(repository, "snapshots", id));
  print(`${JSON.stringify({ message_type: "summary", snapshot_id: id, ...snapshot.summary })}\n`);
}

function find(wanted = ""): Snapshot {
  const found = snapshots().find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  throw new Fatal(`failed to find snapshot: failed to load snapshot ${wanted}: no such file or directory`);
}

async function dump(): Promise<void> {
  const [wanted, path = ""] = operands;
  const found = find(wanted);
  if (!found.paths.includes(path)) throw new Fatal(`cannot dump file: path "${path}" not found in snapshot`);
  await pipeline(createReadStream(join(repository, "data", found.id)), process.stdout);
}

function forget(wanted: string): void {
  const path = join(repository, "snapshots", wanted);
  if (existsSync(path)) rmSync(path);
  else process.stderr.write(`Ignoring "${wanted}": no matching ID found for prefix "${wanted}"\n`);
}
