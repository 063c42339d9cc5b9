import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { findRestic } from "./find-restic.ts";

// A program for the demo: makes a restic repository and folders of volumes with files in them, prints one line of JSON
// with their facts, and runs until stdin ends. `--can-run` only says whether there is a restic, by its exit code.

const { values } = parseArgs({
  options: {
    state: { type: "string" },
    volume: { type: "string", multiple: true, default: [] },
    "can-run": { type: "boolean", default: false },
  },
});
const restic = findRestic();
if (values["can-run"]) process.exit(restic === undefined ? 1 : 0);
if (restic === undefined) {
  process.stderr.write(`restic is not on this machine; install it by: ${installCommand()}\n`);
  process.exit(1);
}
if (values.state === undefined) throw new Error("usage: demo-main.ts --state DIR [--volume FOLDER]…");
const password = randomBytes(16).toString("hex");
const repository = join(values.state, "repository");
const volumeRoot = join(values.state, "volumes");
const cacheFolder = join(values.state, "cache");
mkdirSync(cacheFolder, { recursive: true });
mkdirSync(volumeRoot, { recursive: true });
for (const volume of values.volume) {
  const folder = join(volumeRoot, volume);
  mkdirSync(join(folder, "2026"), { recursive: true });
  writeFileSync(join(folder, "2026", "letter.txt"), "What the application keeps.\n");
  writeFileSync(join(folder, "data.bin"), randomBytes(200_000));
}
const passwordFile = join(values.state, "password");
writeFileSync(passwordFile, password, { mode: 0o600 });
execFileSync(restic, ["init", "--repo", repository, "--password-file", passwordFile], { stdio: "ignore" });
const facts = { restic, repository, passwordFile, volumeRoot, cacheFolder };
process.stdin.resume();
process.stdin.once("end", () => process.exit());
process.stdout.write(`${JSON.stringify(facts)}\n`);

function installCommand(): string {
  const has = (program: string): boolean =>
    (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
  if (has("apt-get")) return `${process.getuid?.() === 0 ? "" : "sudo "}apt-get install --yes restic`;
  if (has("brew")) return "brew install restic";
  return "go install github.com/restic/restic/cmd/restic@v0.18.1";
}
