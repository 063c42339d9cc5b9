import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findRestic, noRestic } from "./find-restic.ts";

// A program: makes the repository that the conformance suite's target needs, prints one line of JSON with its facts, and
// runs until stdin ends.

const { values } = parseArgs({ options: { state: { type: "string" } } });
const restic = findRestic();
if (values.state === undefined) throw new Error("usage: target-main.ts --state DIR");
if (restic === undefined) throw new Error(noRestic);
const { state } = values;
const repository = join(state, "repository");
const passwordFile = join(state, "password");
const wrongPasswordFile = join(state, "wrong-password");
mkdirSync(join(state, "cache"), { recursive: true });
writeFileSync(passwordFile, "correct horse battery staple\n");
writeFileSync(wrongPasswordFile, "not the password\n");
execFileSync(restic, ["init", "--repo", repository, "--password-file", passwordFile], { stdio: "ignore" });
// Two roots, each with a folder that is a volume.
const [volumeRoot, secondVolumeRoot] = [join(state, "volumes"), join(state, "second-volumes")];
for (const root of [volumeRoot, secondVolumeRoot]) {
  mkdirSync(join(root, "shared", "claim"), { recursive: true });
  writeFileSync(join(root, "shared", "claim", "file"), "content\n");
}
const facts = {
  volumeRoot,
  secondVolumeRoot,
  restic,
  repository,
  passwordFile,
  wrongPasswordFile,
  cacheFolder: join(state, "cache"),
};
process.stdin.resume();
process.stdin.once("end", () => process.exit());
process.stdout.write(`${JSON.stringify(facts)}\n`);
